import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { explainSession, parseSince } from './rules.ts';
import type { AuditRow, SessionState } from './store.ts';

const [mine, others] = ['s-mine', 's-other'] as SessionId[];
const [tenantId, accountId] = ['t' as TenantId, 'a' as AccountId];

const row = (position: number, event: string, reason: string, more: Partial<AuditRow> = {}): AuditRow => ({
  ...{ position, atMs: position * 1000, event, reason, tenantId, accountId, sessionId: mine ?? null },
  ...{ subject: null, actor: 'self', address: '192.0.2.1', requestId: 'r', count: 1 },
  ...more,
});
const opening = row(10, 'authn_login_success', 'password');
const live: SessionState = {
  ...{ tenantId, accountId, createdAtMs: 10_000, expiresAtMs: 90_000, endedAtMs: null },
  ...{ isOfPresentEpoch: true, isAccountActive: true, isTenantActive: true },
};
const explain = (state: SessionState | undefined, rows: readonly AuditRow[], nowMs = 50_000) =>
  explainSession(String(mine), opening, state, rows, nowMs);

test('a session is ended by its own sign-out, and not by that of another', () => {
  const rows = [
    row(20, 'authn_token_revoked', 'logout', { sessionId: others ?? null }),
    row(30, 'authn_token_revoked', 'logout'),
  ];
  const ended = explain({ ...live, endedAtMs: 30_000 }, rows);
  assert.equal(ended.state, 'ended');
  assert.match(ended.words, /^it was ended at 1970-01-01T00:00:30.000Z by a sign-out, from address 192.0.2.1/);
});

test('a sign-out everywhere ends the sessions of its account that were open then, and says who asked', () => {
  const everywhere = row(30, 'authn_token_revoked', 'logout_all', { sessionId: others ?? null });
  assert.match(explain(undefined, [everywhere]).words, /by a sign-out everywhere from session s-other/);
  for (const other of [{ position: 5, atMs: 5000 }, { accountId: 'b' as AccountId }])
    assert.equal(explain(undefined, [{ ...everywhere, ...other }]).state, 'expired');
});

test('of several ends that would do, the one at the time the session ended is named', () => {
  const rows = [row(20, 'authn_token_revoked', 'logout_all'), row(30, 'authn_token_reuse', 'refresh_reused')];
  assert.match(explain({ ...live, endedAtMs: 30_000 }, rows).words, /a refresh token that was used twice/);
  assert.match(explain(undefined, rows).words, /everywhere/);
});

test('a session that the database calls open is not ended by a row', () => {
  const everywhere = [row(30, 'authn_token_revoked', 'logout_all')];
  assert.equal(explain(live, everywhere).state, 'live');
  assert.equal(explain({ ...live, isOfPresentEpoch: false }, everywhere).state, 'ended');
});

test('what keeps a session from going on is told where nothing has ended it', () => {
  assert.match(explain({ ...live, isAccountActive: false }, []).words, /its account is disabled/);
  assert.match(explain({ ...live, isTenantActive: false }, []).words, /its tenant is suspended/);
  assert.equal(explain(live, [], 90_000).state, 'expired');
  assert.match(explain({ ...live, endedAtMs: 20_000 }, []).words, /does not go back that far/);
  assert.equal(explainSession('x', undefined, undefined, [], 0).state, 'unknown');
});

test('an event or a reason that this version does not know ends nothing', () => {
  const rows = [
    row(20, 'authn_token_revoked', 'constructor'),
    row(21, 'toString', 'logout'),
    row(22, 'later', 'later'),
  ];
  assert.equal(explain(undefined, rows).state, 'expired');
});

test('times are read, and nothing else', () => {
  const now = Date.UTC(2026, 0, 31);
  assert.equal(parseSince('90s', now), now - 90_000);
  assert.equal(parseSince('7d', now), now - 7 * 86_400_000);
  for (const text of ['2026-01-30', '2026-01-30T00:00', '2026-01-30T00:00:00Z', '2026-01-30T00:00:00.000'])
    assert.equal(parseSince(text, now), now - 86_400_000, text);
  for (const text of [
    '',
    '0s',
    '-1h',
    '1w',
    '1.5h',
    '1h ',
    '2026-13-01',
    '2026-01-30T25:00',
    '1e3s',
    '9999999d',
    'now',
  ])
    assert.equal(parseSince(text, now), undefined, text);
});
