import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explore } from './revocation-model.ts';
import { type Rules, soundRules, type World } from './revocation-rules.ts';

const usual: World = { leases: [2] };
const unlikeLeases: World = { leases: [1, 3] };
const putBack: World = { leases: [2], isPutBack: true };
const clockSet: World = { leases: [2], isClockSet: true };

// A model that explores little proves little.
for (const [world, what, statesMin] of [
  [unlikeLeases, 'whose leases differ', 150_000],
  [putBack, 'whose database is put back to an earlier state', 100_000],
  [clockSet, 'in which a clock is wrong', 100_000],
] as const)
  test(`no interleaving of a deployment ${what} accepts a revoked token after the 200`, () => {
    const { states, violation, isCut } = explore(soundRules, world);
    assert.equal(isCut, false, 'the model has grown beyond what was meant');
    assert.equal(violation, undefined, String(violation));
    assert.ok(states > statesMin, `${states} states`);
  });

/** Where a rule can do harm when it is broken; elsewhere: the usual world. */
const worlds: Partial<Record<keyof Rules, World>> = {
  waitsForLongest: unlikeLeases,
  evictsByRow: unlikeLeases,
  positionChecked: putBack,
  namedBeforeWriteBack: putBack,
  startsOver: putBack,
  acknowledgedInItsHistory: putBack,
  wrongClockRenewsNothing: clockSet,
  clockStepEndsLease: clockSet,
  stepForwardNotBelieved: clockSet,
};

for (const rule of Object.keys(soundRules) as (keyof Rules)[])
  test(`with the rule "${rule}" broken, an interleaving of at most 15 steps is found`, () => {
    const { violation } = explore({ ...soundRules, [rule]: false }, worlds[rule] ?? usual);
    assert.ok(violation !== undefined && violation.length <= 15, String(violation));
  });
