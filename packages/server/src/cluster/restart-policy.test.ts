import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartPolicy } from './restart-policy.ts';

test('each worker of the last minute that died of its start doubles the delay', () => {
  const policy = new RestartPolicy();
  const delays = Array.from({ length: 6 }, (_, index) => policy.delayMs(1000 * index, 0));
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200]);
});

test('one more within the minute is a crash loop', () => {
  const policy = new RestartPolicy();
  for (let index = 0; index < 6; index++) policy.delayMs(index, 499);
  assert.equal(policy.delayMs(59_000, 499), undefined);
});

test('deaths that are a minute old do not count, and those of workers that had served never do', () => {
  const policy = new RestartPolicy();
  for (let index = 0; index < 6; index++) policy.delayMs(index, 0);
  assert.equal(policy.delayMs(10, 500), 100);
  assert.equal(policy.delayMs(60_005, 0), 100);
});
