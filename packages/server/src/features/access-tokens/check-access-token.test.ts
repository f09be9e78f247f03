import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SignatureChecks } from '@catalytic/guard/signature-checks';
import { View } from '@catalytic/guard/view';
import type { AccountId, JournalId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { Secret } from '../secrets/secret.ts';
import { createSigningKey } from '../signing-keys/create-signing-key.ts';
import { KeyRing } from '../signing-keys/key-ring.ts';
import type { StoredSigningKey } from '../signing-keys/store.ts';
import { checkAccessToken, genuineToken } from './check-access-token.ts';
import { issueAccessToken } from './issue-access-token.ts';

const masterKey = new Secret(randomBytes(32));
const nowMs = 1_000_000;
const expectation = { issuer: 'https://issuer.example', audience: 'api' };
const key = createSigningKey('ES256', masterKey, 0, 0);

/** A process that holds these keys, and may be current. */
const open = async (stored: readonly StoredSigningKey[], isCurrent = true) => {
  const store = {
    list: async () => stored,
    addFirst: async () => {},
    addSuccessor: async () => {},
    kill: async () => undefined,
  };
  const keys = new KeyRing(store, masterKey);
  await keys.load(nowMs);
  return {
    keys,
    signatureChecks: new SignatureChecks((header) => keys.find(header)),
    view: new View(),
    currency: { isCurrent: () => isCurrent },
    expectation,
    nowMs: () => nowMs,
  };
};

/** A token of the key, dated by some clock. */
const mint = async (atMs: number): Promise<string> => {
  const grant = {
    tenantId: 'tenant' as TenantId,
    accountId: 'account' as AccountId,
    sessionId: 'session' as SessionId,
    ...{ roles: [], amr: ['pwd'], authenticatedAtMs: atMs, accountEpoch: 0, tenantEpoch: 0 },
  };
  return issueAccessToken({ ...(await open([key])), ...expectation, accessTokenSeconds: 900 }, grant, atMs);
};

test('a key that a process does not know is unknown only while the process is current', async () => {
  const token = await mint(nowMs);
  // Paused while the key was made known to all others, it wakes and has not heard of it.
  assert.equal(checkAccessToken(await open([], false), token), 'revocation_state_unavailable');
  assert.equal(checkAccessToken(await open([]), token), 'token_key_unknown');
  assert.equal(checkAccessToken(await open([key], false), token), 'revocation_state_unavailable');
  assert.equal(typeof checkAccessToken(await open([key]), token), 'object');
});

test('a token that a clock ahead has dated is not accepted yet, and can be signed out', async () => {
  const token = await mint(nowMs + 3_600_000);
  const parts = await open([key]);
  assert.equal(checkAccessToken(parts, token), 'token_not_yet_valid');
  assert.equal(genuineToken(parts, token).claims.sid, 'session');
  assert.throws(() => genuineToken({ ...parts, nowMs: () => nowMs + 3_600_000 + 900_000 }, token), {
    code: 'token_expired',
  });
});

test('an expired token of a retired key still signs out its own session, and does nothing else', async () => {
  const token = await mint(nowMs - 3_600_000);
  const retired = [{ ...key, retiresAtMs: nowMs - 1000 }, createSigningKey('ES256', masterKey, 0, 0)];
  const parts = await open(retired);
  for (const each of [await open([key]), parts])
    assert.equal(genuineToken(each, token, 'of any age').claims.sid, 'session');
  assert.throws(() => genuineToken(parts, token), { code: 'token_key_unknown' });
  const elsewhere = { ...parts, expectation: { ...expectation, issuer: 'https://other.example' } };
  assert.throws(() => genuineToken(elsewhere, token, 'of any age'), { code: 'token_issuer_wrong' });
  const [head, payload, signature = ''] = token.split('.');
  const forged = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  assert.throws(() => genuineToken(elsewhere, forged, 'of any age'), { code: 'token_signature_invalid' });
});

test('a token of a killed key does not even sign out, because its thief can sign any', async () => {
  const token = await mint(nowMs);
  const parts = await open([key]);
  const entry = { id: 'entry' as JournalId, kind: 'key', key: key.kid, keepUntilMs: null } as const;
  assert.equal(genuineToken(parts, token).claims.sid, 'session');
  parts.view.hear([entry]);
  for (const age of ['unexpired', 'of any age'] as const)
    assert.throws(() => genuineToken(parts, token, age), { code: 'token_key_unknown' });
});
