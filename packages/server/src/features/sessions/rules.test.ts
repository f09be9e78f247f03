import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  displacedCount,
  displacedMax,
  judgeToken,
  openingRefusal,
  type PresentedToken,
  passwordChangeRefusal,
  type Theft,
  thefts,
} from './rules.ts';

const active = { accountStatus: 'active', tenantStatus: 'active' };
const unused: PresentedToken = {
  ...active,
  expiresAtMs: 100_000,
  usedAtMs: null,
  successorBox: null,
  successor: 'none',
  endedAtMs: null,
  accountEpoch: 3,
  tenantEpoch: 1,
  currentAccountEpoch: 3,
  currentTenantEpoch: 1,
};
const successorBox = new Uint8Array([1]);
const used: PresentedToken = { ...unused, usedAtMs: 50_000, successorBox, successor: 'unused' };
const passedOn: PresentedToken = { ...used, successor: 'used' };
const superseded: PresentedToken = { ...unused, usedAtMs: 50_000 };
const graceMs = 10_000;

const isTheft = (text: string): text is Theft => Object.hasOwn(thefts, text);

const cases: readonly (readonly [string, PresentedToken, number, string])[] = [
  ['an unused token may be used', unused, 99_999, 'usable'],
  ['a token expires at its time', unused, 100_000, 'refresh_expired'],
  ['a used token does not expire within its grace', { ...used, expiresAtMs: 50_001 }, 55_000, 'replayed'],
  ['a replay at the end of the grace window is forgiven', used, 60_000, 'replayed'],
  ['a replay after the grace window, its successor unused, is a lost answer', used, 60_001, 'answer_lost'],
  ['a lost answer is forgiven until the token expires', used, 99_999, 'answer_lost'],
  ['a lost answer is not forgiven beyond that, and is no theft', used, 100_000, 'refresh_expired'],
  ['a replay by a clock set back has the same window', used, 40_000, 'replayed'],
  ['a clock set back further opens no window', passedOn, 39_999, 'refresh_reused'],
  ['a replay whose successor is forgotten is a lost answer', { ...used, successorBox: null }, 50_000, 'answer_lost'],
  ['a replay whose successor is in use', passedOn, 55_000, 'refresh_superseded'],
  ['a replay after the grace window is theft, its successor in use', passedOn, 60_001, 'refresh_reused'],
  ['the use of a superseded token is theft at once', superseded, 50_000, 'superseded_used'],
  ['the use of a superseded token is theft when it has expired, too', superseded, 100_000, 'superseded_used'],
  ['the session has ended: no theft any more', { ...used, endedAtMs: 51_000 }, 70_000, 'session_ended'],
  ['the epoch of the account was raised', { ...unused, currentAccountEpoch: 4 }, 1, 'session_ended'],
  ['the epoch of the tenant was raised', { ...unused, currentTenantEpoch: 2 }, 1, 'session_ended'],
  ['the account is disabled', { ...unused, accountStatus: 'disabled', endedAtMs: 1 }, 1, 'account_disabled'],
  [
    'a suspended tenant goes before a disabled account',
    { ...unused, accountStatus: 'disabled', tenantStatus: 'suspended' },
    1,
    'tenant_suspended',
  ],
];

for (const [what, token, nowMs, outcome] of cases)
  test(`a refresh token: ${what}`, () => {
    const judged = judgeToken(token, { nowMs, graceMs });
    if (outcome === 'replayed') assert.deepEqual(judged, { outcome, successorBox });
    else if (isTheft(outcome)) assert.deepEqual(judged, { outcome: 'refresh_reused', theft: outcome });
    else assert.deepEqual(judged, { outcome });
  });

test('a sign-in that opened nothing is told why: the tenant, the account, else the password', () => {
  assert.equal(openingRefusal({ accountStatus: 'disabled', tenantStatus: 'suspended' }), 'tenant_suspended');
  assert.equal(openingRefusal({ ...active, accountStatus: 'disabled' }), 'account_disabled');
  assert.equal(openingRefusal(active), 'password_changed');
  assert.equal(openingRefusal(undefined), 'password_changed');
});

test('a password change that changed nothing is told why: the tenant, the account, the session, else the password', () => {
  assert.equal(
    passwordChangeRefusal({ accountStatus: 'disabled', tenantStatus: 'suspended' }, true),
    'tenant_suspended',
  );
  assert.equal(passwordChangeRefusal({ ...active, accountStatus: 'disabled' }, true), 'account_disabled');
  assert.equal(passwordChangeRefusal(active, true), 'password_changed');
  assert.equal(passwordChangeRefusal(active, false), 'session_ended');
  assert.equal(passwordChangeRefusal(undefined, false), 'session_ended');
});

test('a sign-in displaces what is too many, and never more than the bound', () => {
  assert.deepEqual(
    [1, 5, 6, 8, 5 + displacedMax, 6 + displacedMax].map((unended) => displacedCount(unended, 5)),
    [0, 0, 1, 3, displacedMax, displacedMax],
  );
});
