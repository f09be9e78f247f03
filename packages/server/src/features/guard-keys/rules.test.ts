import assert from 'node:assert/strict';
import { test } from 'node:test';
import { marksAfter, pauseSeconds } from './rules.ts';

test('marks are counted together while they are less than ten minutes apart', () => {
  assert.deepEqual(
    [null, 399_999, 400_000, 400_001, 1_000_000].map((markedAtMs) => marksAfter({ marks: 4, markedAtMs }, 1_000_000)),
    [1, 1, 1, 5, 5],
  );
});

test('three marks pause the registrations of a key for half a minute, each further one for twice as long', () => {
  const pauses = [0, 2, 3, 4, 7, 8, 30, 2000].map((marks) => pauseSeconds({ marks, markedAtMs: 1000 }, 1000));
  assert.deepEqual(pauses, [0, 0, 30, 60, 480, 600, 600, 600]);
  assert.deepEqual(
    [1001, 30_999, 31_000, 90_000].map((nowMs) => pauseSeconds({ marks: 3, markedAtMs: 1000 }, nowMs)),
    [30, 1, 0, 0],
  );
});
