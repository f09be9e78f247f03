import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Exchange, outcomeOf } from './outcome.ts';

const live = { expiresAtMs: 900_000 };
const exchange = (parts: Partial<Exchange>): Exchange => ({
  task: 'protected',
  sentAtMs: 1000,
  answeredAtMs: 1010,
  status: 200,
  token: live,
  ...parts,
});

const cases: readonly (readonly [string, Partial<Exchange>, 'ok' | 'expected' | 'real'])[] = [
  ['a protected call answered 200', {}, 'ok'],
  ['a login answered 200', { task: 'login' }, 'ok'],
  ['a registration answered 201', { task: 'register', status: 201 }, 'ok'],
  ['a logout answered 202', { task: 'logout', status: 202 }, 'ok'],
  [
    'a 401 after the logout was sent',
    { status: 401, code: 'token_revoked', token: { ...live, revokeSentAtMs: 500 } },
    'expected',
  ],
  [
    'a 401 to a token whose logout was sent while the call ran',
    { status: 401, token: { ...live, revokeSentAtMs: 1005 } },
    'expected',
  ],
  ['a 401 that came before the logout was sent', { status: 401, token: { ...live, revokeSentAtMs: 1011 } }, 'real'],
  [
    'a logout refused for its own sake',
    { task: 'logout', status: 401, token: { ...live, revokeSentAtMs: 1000 } },
    'real',
  ],
  [
    'a logout refused after an earlier one',
    { task: 'logout', status: 401, token: { ...live, revokeSentAtMs: 900 } },
    'expected',
  ],
  ['a token accepted long after its end', { sentAtMs: 5000, token: { expiresAtMs: 1000 } }, 'real'],
  [
    'a token accepted again by the worker that refused it',
    { worker: 'w1', token: { ...live, revokeSentAtMs: 500, refusedAtMs: new Map([['w1', 600]]) } },
    'real',
  ],
  [
    'a token accepted by a worker while only another has refused it',
    { worker: 'w2', token: { ...live, revokeSentAtMs: 500, refusedAtMs: new Map([['w1', 600]]) } },
    'ok',
  ],
  ['a refresh answered 200', { task: 'refresh', token: { expiresAtMs: 500 } }, 'ok'],
  [
    'a refresh of a session the user has signed out',
    { task: 'refresh', status: 401, code: 'session_ended', token: { ...live, revokeSentAtMs: 500 } },
    'expected',
  ],
  [
    'a refresh of a signed-out session that the target has forgotten',
    { task: 'refresh', status: 401, code: 'refresh_invalid', token: { ...live, revokeSentAtMs: 500 } },
    'expected',
  ],
  ['a refresh of a live session refused', { task: 'refresh', status: 401, code: 'refresh_invalid' }, 'real'],
  [
    'an unused refresh token taken for a stolen one, logout or not',
    { task: 'refresh', status: 401, code: 'refresh_reused', token: { ...live, revokeSentAtMs: 500 } },
    'real',
  ],
  [
    'a refresh token sent again and taken for a stolen one, within the grace',
    {
      task: 'refresh',
      status: 401,
      code: 'refresh_reused',
      answeredAtMs: 10_500,
      token: { ...live, refreshFirstSentAtMs: 500 },
    },
    'real',
  ],
  [
    'a refresh token sent again and taken for a stolen one, after the grace',
    {
      task: 'refresh',
      status: 401,
      code: 'refresh_reused',
      answeredAtMs: 10_501,
      token: { ...live, refreshFirstSentAtMs: 500 },
    },
    'expected',
  ],
  ['a dead session refreshed', { task: 'refresh', token: { ...live, revokeSentAtMs: 500, deadFromMs: 600 } }, 'real'],
  [
    'a verify of a dead token that a worker without news answers with 503',
    { task: 'verify', status: 503, code: 'revocation_state_unavailable', token: { ...live, deadFromMs: 600 } },
    'real',
  ],
  ['a right status with a broken answer', { task: 'login', flaw: 'no access token in the answer' }, 'real'],
  ['a redirect', { status: 302 }, 'real'],
  ['a 401 to a live token', { status: 401, code: 'token_revoked' }, 'real'],
  ['a 401 to an expired token', { status: 401, code: 'token_expired', token: { expiresAtMs: 1010 } }, 'expected'],
  ['a 401 "expired" long before the end', { status: 401, code: 'token_expired' }, 'real'],
  ['a login refused with 401', { task: 'login', status: 401, code: 'credentials_invalid' }, 'real'],
  ['a login shed with 503', { task: 'login', status: 503, code: 'hashing_busy' }, 'real'],
  ['a 429 to a legitimate user', { status: 429 }, 'real'],
  ['a 500', { status: 500 }, 'real'],
];

for (const [name, parts, kind] of cases)
  test(`${name} is ${kind}`, () => {
    assert.equal(outcomeOf(exchange(parts)).kind, kind);
  });

test('no answer is a real failure named after what went wrong', () => {
  const { status: _, ...unanswered } = exchange({ code: 'connection refused' });
  assert.deepEqual(outcomeOf(unanswered), {
    kind: 'real',
    name: 'no answer: connection refused',
    isUnanswered: true,
  });
});

test('a dead token accepted is a violation exactly when the call was sent after the promise', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 5000 }), (deadFromMs, sentAtMs) => {
      const outcome = outcomeOf(
        exchange({ sentAtMs, answeredAtMs: sentAtMs + 10, token: { ...live, revokeSentAtMs: 0, deadFromMs } }),
      );
      assert.equal(outcome.breach === 'accepted after promise', deadFromMs <= sentAtMs);
      assert.equal(outcome.kind, deadFromMs <= sentAtMs ? 'real' : 'ok');
    }),
  );
});
