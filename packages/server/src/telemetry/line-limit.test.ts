import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitLines } from './line-limit.ts';

test('ten lines of a kind are allowed in a second; the others are reported by number', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: (readonly [string, number])[] = [];
  const limit = limitLines((kind, leftOut) => told.push([kind, leftOut]));
  const allowed = (kind: string, times: number): number =>
    Array.from({ length: times }, () => limit.allows(kind)).filter(Boolean).length;
  assert.deepEqual([allowed('a', 25), allowed('b', 10)], [10, 10], 'each kind has its own');
  t.mock.timers.tick(1000);
  assert.deepEqual(told, [['a', 15]]);
  assert.equal(allowed('a', 11), 10);
  limit.close();
  assert.deepEqual(told.at(-1), ['a', 1], 'lines left out last are reported at the end');
});
