import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Random, randomOf } from '../arrivals/random.ts';
import { hodgesLehmann, type Pair, pairedRatio } from './paired-ratio.ts';

/** Bell-shaped noise around zero: twelve uniform numbers (Irwin-Hall). */
const noise = (random: Random): number => {
  let sum = -6;
  for (let count = 0; count < 12; count++) sum += random();
  return sum;
};

/** Pairs of a machine whose speed drifts by a third, with noise of 3 % in each block, and B slower by `ratio`. */
const pairsOf = (random: Random, count: number, ratio: number): Pair[] =>
  Array.from({ length: count }, (_, index) => {
    const drift = 1 + 0.3 * Math.sin(index / 3);
    return { a: drift * Math.exp(0.03 * noise(random)), b: ratio * drift * Math.exp(0.03 * noise(random)) };
  });

test('the estimate is the median of all means of two', () => {
  assert.equal(hodgesLehmann([1, 2, 10]), 3.75);
  assert.equal(hodgesLehmann([5]), 5);
  assert.ok(Number.isNaN(hodgesLehmann([])));
});

test('one absurd pair moves the estimate little', () => {
  const pairs = [...Array.from({ length: 11 }, () => ({ a: 10, b: 11 })), { a: 10, b: 1000 }];
  assert.ok(Math.abs(pairedRatio(pairs, randomOf('absurd', 0)).ratio - 1.1) < 1e-9);
});

test('of 200 intervals of 95 %, some 95 in 100 hold the true ratio', () => {
  let held = 0;
  for (let round = 0; round < 200; round++) {
    const random = randomOf('coverage', round);
    const { low, high, ratio } = pairedRatio(pairsOf(random, 12, 1.05), random, { samples: 400 });
    assert.ok(low <= ratio && ratio <= high);
    if (low <= 1.05 && 1.05 <= high) held += 1;
  }
  // A percentile interval over twelve pairs is a little short of its name.
  assert.ok(held >= 172 && held <= 199, `${held} of 200`);
});

test('A against B is the inverse of B against A', () => {
  const pairs = pairsOf(randomOf('inverse', 0), 20, 1.2);
  const forth = pairedRatio(pairs, randomOf('same', 1));
  const back = pairedRatio(
    pairs.map(({ a, b }) => ({ a: b, b: a })),
    randomOf('same', 1),
  );
  assert.ok(Math.abs(forth.ratio * back.ratio - 1) < 1e-9);
});

test('what cannot be compared is refused', () => {
  const random = randomOf('refused', 0);
  assert.throws(() => pairedRatio([{ a: 1, b: 1 }], random), /needs two pairs/);
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    assert.throws(
      () =>
        pairedRatio(
          [
            { a: 1, b: bad },
            { a: 1, b: 1 },
          ],
          random,
        ),
      /above zero/,
    );
});
