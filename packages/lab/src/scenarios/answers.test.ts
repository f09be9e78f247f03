import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { problemCodeOf } from '../targets/problem-code.ts';
import { flawOf, readGrant, readPendingMs } from './answers.ts';

test('nothing a target sends makes the readers throw', () => {
  const text = fc.oneof(fc.string(), fc.json(), fc.constantFrom('', 'null', '[]', '1', '"x"', '{"access_token":7}'));
  const task = fc.constantFrom('register', 'login', 'protected', 'verify', 'refresh', 'logout');
  fc.assert(
    fc.property(text, task, fc.constantFrom(200, 201, 202, 401, 500), (answer, what, status) => {
      problemCodeOf(answer);
      readGrant(answer);
      readPendingMs(answer);
      flawOf(what, status, answer, 'session');
    }),
  );
});

test('a grant is read with and without its optional parts', () => {
  assert.deepEqual(readGrant('{"access_token":"t","refresh_token":"r","expires_in":900,"session_id":"s"}'), {
    value: 't',
    refreshToken: 'r',
    expiresInSeconds: 900,
    sessionId: 's',
  });
  assert.deepEqual(readGrant('{"access_token":"t"}'), {
    value: 't',
    refreshToken: undefined,
    expiresInSeconds: Number.POSITIVE_INFINITY,
    sessionId: undefined,
  });
});

test('a token that cannot stand in a header is none', () => {
  assert.equal(readGrant(JSON.stringify({ access_token: 'a\r\nb: c' })), undefined);
});

test('a login without a token, a 202 without a time and the claims of another session are flaws', () => {
  assert.equal(flawOf('login', 200, '{}', undefined), 'no access token in the answer');
  assert.equal(flawOf('logout', 202, '{"revoked":true}', 's1'), 'pending without complete_within_ms');
  assert.equal(flawOf('logout', 202, '{"complete_within_ms":6000}', 's1'), undefined);
  assert.equal(flawOf('protected', 200, '{"claims":{"sid":"s2"}}', 's1'), 'claims of another session');
  assert.equal(flawOf('protected', 200, '{"claims":{"sid":"s1"}}', 's1'), undefined);
  assert.equal(flawOf('protected', 200, '{"message":"no claims"}', 's1'), undefined);
  const pair = { access_token: 't', refresh_token: 'r', session_id: 's2' };
  assert.equal(flawOf('refresh', 200, '{"access_token":"t"}', 's1'), 'no refresh token in the answer');
  assert.equal(flawOf('refresh', 200, JSON.stringify(pair), 's1'), 'tokens of another session');
  assert.equal(flawOf('refresh', 200, JSON.stringify(pair), 's2'), undefined);
});
