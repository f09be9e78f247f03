import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RestartPolicy } from './restart-policy.ts';

test('each death of the last minute doubles the delay', () => {
  const policy = new RestartPolicy();
  const delays = Array.from({ length: 6 }, (_, index) => policy.delayMs(1000 * index));
  assert.deepEqual(delays, [100, 200, 400, 800, 1600, 3200]);
});

test('one death more within the minute is a crash loop', () => {
  const policy = new RestartPolicy();
  for (let index = 0; index < 6; index++) policy.delayMs(index);
  assert.equal(policy.delayMs(59_000), undefined);
});

test('deaths that are a minute old do not count', () => {
  const policy = new RestartPolicy();
  for (let index = 0; index < 6; index++) policy.delayMs(index);
  assert.equal(policy.delayMs(60_005), 100);
});
