import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exploreGuard } from './guard-model.ts';
import { soundGuardRules } from './guard-rules.ts';
import { brokenGuards, guardWorlds } from './guard-worlds.ts';

// Larger worlds, and rules whose harm needs them, take minutes: "npm run model" explores all of them.
test('no interleaving with a database that is put back lets a guard accept a revoked token after the 200', () => {
  const world = guardWorlds['a database that is put back'];
  assert.ok(world !== undefined);
  const { states, violation, isCut } = exploreGuard(soundGuardRules, world);
  assert.equal(isCut, false, 'the model has grown beyond what was meant');
  assert.equal(violation, undefined, String(violation));
  assert.ok(states > 25_000, `${states} states`);
});

/** Rules whose harm is found within a second. */
const quick = new Set([
  'registrationIsDurable',
  'leaseNeedsRow',
  'registrationIsNoRead',
  'partGrantsNothing',
  'waitIsLongEnough',
]);

for (const { name, rules, world } of brokenGuards.filter((broken) => quick.has(broken.name)))
  test(`with the rule "${name}" of guards broken, an interleaving that breaks the promise is found`, () => {
    const { violation } = exploreGuard(rules, world);
    assert.ok(violation !== undefined && violation.length <= 15, String(violation));
  });
