import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RefusalTime } from './refusal-time.ts';

test('every refusal ends at the same time, whatever its check took', () => {
  const time = new RefusalTime();
  for (let count = 0; count < 50; count++) time.measure(10);
  for (const tookMs of [1, 10, 250]) assert.ok(Math.abs(tookMs + time.restMs(tookMs) - 300) < 1e-6);
});

test('the time follows the machine, up to a second', () => {
  const time = new RefusalTime();
  time.measure(900);
  assert.equal(time.restMs(5), 995, 'the first hash waits for the hashing process');
  time.measure(5);
  assert.equal(time.restMs(5), 145);
  for (let count = 0; count < 50; count++) time.measure(200);
  assert.equal(time.restMs(200), 800);
  assert.equal(time.restMs(5000), 0);
});
