import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from '../arrivals/random.ts';
import { decide, exactFailure } from './gate-decision.ts';
import type { Block } from './side.ts';

const block = (cpuUsPerRequest: number, rest: Partial<Block> = {}): Block => ({
  requests: 4000,
  cpuUsPerRequest,
  p50Ms: 1,
  p95Ms: 2,
  p99Ms: 3,
  realFailures: 0,
  violations: 0,
  ...rest,
});
/** Twelve pairs with noise of ±3 %. */
const pairsOf = (ratio: number) => {
  const random = randomOf('pairs', 0);
  const noise = (): number => 1 + 0.06 * (random() - 0.5);
  return Array.from({ length: 12 }, () => ({ a: block(200 * noise()), b: block(200 * ratio * noise()) }));
};
const rule = { limit: 1.05, confidence: 0.95 };
const verdict = (ratio: number): string => decide(pairsOf(ratio), rule, randomOf('gate', 0)).verdict;

test('the same passes, 10 % more fails, and about the limit it does not know', () => {
  assert.equal(verdict(1), 'pass');
  assert.equal(verdict(0.8), 'pass');
  assert.equal(verdict(1.1), 'fail');
  assert.equal(verdict(1.05), 'inconclusive');
});

test('five pairs decide nothing, however far apart they are', () => {
  const decision = decide(pairsOf(2).slice(0, 5), rule, randomOf('gate', 0));
  assert.equal(decision.verdict, 'inconclusive');
  assert.match(decision.reason, /5 pairs show nothing, 6 are the least/);
  assert.equal(decide(pairsOf(2).slice(0, 6), rule, randomOf('gate', 0)).verdict, 'fail');
});

test('latencies are shown, and decide nothing', () => {
  const pairs = pairsOf(1).map(({ a, b }) => ({ a, b: { ...b, p99Ms: 300 } }));
  const { verdict: decided, ratios } = decide(pairs, rule, randomOf('gate', 0));
  assert.equal(decided, 'pass');
  assert.equal(Math.round(ratios.p99Ms.ratio), 100);
});

test('one failed request or one accepted dead token is enough, whatever it costs', () => {
  assert.equal(exactFailure([block(1), block(1)]), undefined);
  assert.match(exactFailure([block(1), block(1, { realFailures: 1 })]) ?? '', /1 requests of the candidate failed/);
  assert.match(exactFailure([block(1, { violations: 2, realFailures: 1 })]) ?? '', /accepted a dead token 2 times/);
});
