import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { arrivalTimes } from './arrival-times.ts';
import { startArrivals } from './open-arrivals.ts';
import { UserPool } from './user-pool.ts';

const plan = { perSecond: 100, stages: [], durationSeconds: 10, spacing: 'even', seed: 'a' } as const;

test('even starts have even gaps; random ones follow the seed and keep the rate', () => {
  assert.deepEqual([...arrivalTimes({ ...plan, durationSeconds: 0.05 })].map(Math.round), [0, 10, 20, 30, 40]);
  const random = { ...plan, spacing: 'random', durationSeconds: 100 } as const;
  assert.deepEqual(arrivalTimes(random), arrivalTimes(random));
  assert.notDeepEqual(arrivalTimes(random), arrivalTimes({ ...random, seed: 'b' }));
  const { length } = arrivalTimes(random);
  assert.ok(Math.abs(length - 10_000) < 400, `${length} starts`);
  assert.throws(() => arrivalTimes({ ...plan, perSecond: 1e9 }), RangeError);
});

test('stages have rates of their own', () => {
  const stages = [
    { rate: 10, durationSeconds: 1 },
    { rate: 50, durationSeconds: 1 },
  ];
  const times = arrivalTimes({ ...plan, stages, durationSeconds: 2 });
  assert.equal(times.filter((ms) => ms < 999).length, 10);
  assert.equal(times.filter((ms) => ms >= 999).length, 50);
});

test('a start that has to wait for a user is told when it should have begun', async () => {
  const pool = new UserPool(['only one']);
  const waits: number[] = [];
  const crowd = startArrivals({
    timesMs: [0, 1, 2, 3],
    available: 4,
    hasRoom: () => pool.hasRoom,
    act: (_index, intendedAtMs) =>
      pool.lend(async () => {
        waits.push(performance.now() - intendedAtMs);
        await delay(50);
      }),
  });
  await crowd.ended;
  assert.equal(crowd.droppedStarts, 0);
  // Each one later than the one before by what that took.
  for (const [index, wait] of waits.entries()) assert.ok(wait >= index * 48 - 5, `${index}: ${wait} ms`);
});

test('starts beyond the bound on those that wait are dropped and counted', async () => {
  const pool = new UserPool(['only one']);
  const crowd = startArrivals({
    timesMs: new Array<number>(100).fill(0),
    available: 100,
    hasRoom: () => pool.hasRoom,
    act: () => pool.lend(() => delay(1)),
  });
  await crowd.ended;
  assert.equal(crowd.tasks + (crowd.droppedStarts ?? 0), 100);
  assert.ok((crowd.droppedStarts ?? 0) > 0 && crowd.tasks >= 20, `${crowd.tasks} begun`);
});

test('when it is ended before its last start, only what was due has been dropped', async () => {
  const pool = new UserPool(['only one']);
  const busy = delay(150);
  const startMs = performance.now();
  const crowd = startArrivals({
    timesMs: Array.from({ length: 1000 }, (_, index) => index * 2),
    available: 1000,
    hasRoom: () => pool.hasRoom,
    act: () => pool.lend(() => busy),
  });
  await delay(100);
  crowd.stop();
  const dueMost = 1 + (performance.now() - startMs) / 2;
  const told = [crowd.tasks, crowd.droppedStarts ?? 0] as const;
  await crowd.ended;
  assert.deepEqual([crowd.tasks, crowd.droppedStarts], told, 'nothing begins after the end');
  // One user and a queue of twenty.
  assert.equal(told[0], 21);
  assert.ok(told[0] + told[1] >= 45 && told[0] + told[1] <= dueMost, `${told} of ${dueMost}`);
});

test('a start that is due at the end and not yet late belongs to the run', async () => {
  const crowd = startArrivals({ timesMs: [0, 3, 100_000], available: 3, act: async () => {} });
  // The event loop is busy until the second one is due, and its alarm has not rung.
  const untilMs = performance.now() + 5;
  while (performance.now() < untilMs);
  crowd.stop();
  await crowd.ended;
  assert.deepEqual([crowd.tasks, crowd.droppedStarts], [2, 0]);
});

test('processes share the starts among them and leave none out', async () => {
  const seen: number[] = [];
  const crowds = [0, 1, 2].map((first) =>
    startArrivals({
      timesMs: [0, 1, 2, 3, 4],
      available: 5,
      share: { first, of: 3 },
      act: async (index) => seen.push(index),
    }),
  );
  await Promise.all(crowds.map(({ ended }) => ended));
  assert.deepEqual(seen.toSorted(), [0, 1, 2, 3, 4]);
  assert.deepEqual(
    crowds.map(({ droppedStarts }) => droppedStarts),
    [0, 0, 0],
  );
});
