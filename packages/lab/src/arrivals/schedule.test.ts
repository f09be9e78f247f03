import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from './random.ts';
import { type Behaviour, nextStep, scheduleFingerprint } from './schedule.ts';

const behaviour: Behaviour<'login' | 'protected' | 'logout'> = {
  weights: { login: 5, protected: 10, logout: 1 },
  waitMs: [1000, 3000],
};

const steps = (seed: string, user: number, count: number) => {
  const random = randomOf(seed, user);
  return Array.from({ length: count }, () => nextStep(behaviour, random));
};

test('the same seed and user give the same steps; another seed or user gives others', () => {
  assert.deepEqual(steps('a', 1, 50), steps('a', 1, 50));
  assert.notDeepEqual(steps('a', 1, 50), steps('b', 1, 50));
  assert.notDeepEqual(steps('a', 1, 50), steps('a', 2, 50));
});

test('tasks come in proportion to their weights', () => {
  const drawn = steps('weights', 0, 16_000);
  const share = (task: string): number => drawn.filter((step) => step.task === task).length / 1000;
  assert.ok(Math.abs(share('login') - 5) < 0.3, `login ${share('login')}`);
  assert.ok(Math.abs(share('protected') - 10) < 0.3, `protected ${share('protected')}`);
  assert.ok(Math.abs(share('logout') - 1) < 0.15, `logout ${share('logout')}`);
});

test('waits cover their whole range evenly and never leave it', () => {
  const waits = steps('waits', 0, 10_000).map(({ waitMs }) => waitMs);
  assert.ok(waits.every((wait) => wait >= 1000 && wait <= 3000));
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  assert.ok(Math.abs(mean - 2000) < 30, `mean ${mean}`);
});

test('a fingerprint tells schedules apart', () => {
  assert.equal(scheduleFingerprint('a', 10, behaviour), scheduleFingerprint('a', 10, behaviour));
  const others = [
    scheduleFingerprint('b', 10, behaviour),
    scheduleFingerprint('a', 11, behaviour),
    scheduleFingerprint('a', 10, { ...behaviour, waitMs: [1000, 2000] }),
  ];
  assert.ok(!others.includes(scheduleFingerprint('a', 10, behaviour)));
});
