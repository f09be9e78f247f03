import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore, type Rules, soundRules } from './revocation-model.ts';

test('no interleaving of the protocol accepts a revoked token after the 200', () => {
  const { states, violation } = explore(soundRules);
  assert.equal(violation, undefined, String(violation));
  // A model that explores little proves little.
  assert.ok(states > 100_000, `${states} states`);
});

for (const rule of Object.keys(soundRules) as (keyof Rules)[])
  test(`with the rule "${rule}" broken, an interleaving of at most 14 steps is found`, () => {
    const { violation } = explore({ ...soundRules, [rule]: false });
    assert.ok(violation !== undefined && violation.length <= 14, String(violation));
  });
