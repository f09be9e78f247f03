import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Migration, missingFrom, tableFor } from './migrations.ts';

const migration = (number: number, isBreaking = false): Migration => ({
  number,
  name: `${number}.sql`,
  sql: '',
  isBreaking,
});
const known = [1, 2, 3].map((number) => migration(number));

test('what the next version has added is left unknown when it breaks nothing, and refused when it must be known', () => {
  assert.deepEqual(missingFrom(known, { migration: [1, 2, 3], expansion: [4] }), []);
  assert.throws(() => missingFrom(known, { migration: [1, 2, 3, 4], expansion: [] }), /has migration 4.*knows 3/);
  assert.throws(() => missingFrom(known, { migration: [1, 2, 3, 4], expansion: [5] }), /has migration 4.*knows 3/);
});

test('what is in neither list is missing, and nothing else', () => {
  const numbers = (ledger: Parameters<typeof missingFrom>[1]) => missingFrom(known, ledger).map(({ number }) => number);
  assert.deepEqual(numbers({ migration: [], expansion: [] }), [1, 2, 3]);
  assert.deepEqual(numbers({ migration: [1], expansion: [3] }), [2]);
});

test('a migration that breaks nothing may stay unknown to the version before, where there is one', () => {
  const used = { migration: [1, 2], expansion: [] };
  assert.equal(tableFor(migration(3), used), 'expansion');
  assert.equal(tableFor(migration(3, true), used), 'migration');
  assert.equal(tableFor(migration(3), { migration: [], expansion: [] }), 'migration');
});
