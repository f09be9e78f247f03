import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { SignedToken } from './signature-checks.ts';
import { refusal } from './verdict.ts';
import { View } from './view.ts';

const expectation = { issuer: 'https://issuer', audience: 'audience' };
const claims = {
  iss: 'https://issuer',
  aud: 'audience',
  sub: 'account',
  tid: 'tenant',
  sid: 'session',
  jti: 'token',
  iat: 1000,
  nbf: 1000,
  exp: 1900,
  aep: 3,
  tep: 5,
} as unknown as AccessTokenClaims;

const judge = (
  change: Partial<Record<keyof AccessTokenClaims, unknown>>,
  nowSeconds = 1500,
  entries: readonly object[] = [],
) => {
  const view = new View();
  view.apply(entries as readonly JournalEntry[]);
  const token = { claims: { ...claims, ...change }, key: { kid: 'kid' } } as unknown as SignedToken;
  return refusal(token, view, { isCurrent: () => true }, expectation, nowSeconds);
};

test('a token in its time, from our issuer and for us, is accepted', () => {
  assert.equal(judge({}), undefined);
});

test('a token is accepted until just before its end, and not from it on', () => {
  assert.equal(judge({}, 1899.999), undefined);
  assert.equal(judge({}, 1900), 'token_expired');
});

test('a token from the future is accepted within the clock skew and refused beyond it', () => {
  assert.equal(judge({ iat: 1560, nbf: 1560 }), undefined);
  assert.equal(judge({ iat: 1561 }), 'token_not_yet_valid');
  assert.equal(judge({ nbf: 1561 }), 'token_not_yet_valid');
  assert.equal(judge({ nbf: undefined }), undefined, 'a token without nbf begins at iat');
});

test('issuer and audience are compared exactly', () => {
  assert.equal(judge({ iss: 'https://issuer/' }), 'token_issuer_wrong');
  assert.equal(judge({ aud: 'Audience' }), 'token_audience_wrong');
  assert.equal(judge({ aud: ['audience'] }), 'token_audience_wrong');
});

const revocations: readonly (readonly [string, object, boolean])[] = [
  ['its jti', { kind: 'token', key: 'token' }, true],
  ['its session', { kind: 'session', key: 'session' }, true],
  ['its key', { kind: 'key', key: 'kid' }, true],
  ['a higher epoch of its account', { kind: 'account', key: 'account', epoch: 4 }, true],
  ['its own epoch of its account', { kind: 'account', key: 'account', epoch: 3 }, false],
  ['a higher epoch of its tenant', { kind: 'tenant', key: 'tenant', epoch: 6 }, true],
  ['its own epoch of its tenant', { kind: 'tenant', key: 'tenant', epoch: 5 }, false],
  ['another session', { kind: 'session', key: 'token' }, false],
];

for (const [name, entry, isRevoked] of revocations)
  test(`an entry that names ${name} ${isRevoked ? 'revokes' : 'does not revoke'} the token`, () => {
    assert.equal(judge({}, 1500, [{ id: 'x', keepUntilMs: null, ...entry }]), isRevoked ? 'token_revoked' : undefined);
  });
