import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextUsers } from './run-phase.ts';

/** The users that are tried until it ends, on a target that keeps the aim up to so many. */
const search = (most: number, allowed: number): readonly number[] => {
  const tried = [{ users: 10_000, isKept: most >= 10_000 }];
  for (;;) {
    const users = nextUsers(tried, allowed);
    if (users === undefined) return tried.map((one) => one.users);
    tried.push({ users, isKept: users <= most });
  }
};

test('the most users that keep an aim are looked for from what the budget allows, then in between', () => {
  assert.deepEqual(search(10_000, 12_000), [10_000], 'kept at once');
  assert.deepEqual(search(7000, 6000), [10_000, 5100, 7100, 6000]);
  assert.deepEqual(search(4900, 6000), [10_000, 5100, 4300, 4600], 'down, then back up');
  assert.deepEqual(search(9900, 11_000), [10_000, 8500, 9200], 'near enough');
  assert.deepEqual(search(0, 2000), [10_000, 1700, 1400, 1100], 'never kept: three tries');
  assert.deepEqual(search(0, 90), [10_000], 'too few to be worth a run');
});
