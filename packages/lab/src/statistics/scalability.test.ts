import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomOf } from '../arrivals/random.ts';
import { fitLaw, fitWithInterval, type Law, throughputOf } from './scalability.ts';

const sizes = [100, 200, 400, 800, 1600, 2400, 3200];
const stepsOf = (law: Law, disturb: () => number = () => 1) =>
  sizes.map((users) => ({ users, throughput: throughputOf(law, users) * disturb() }));
const near = (actual: number, expected: number, share: number): void =>
  assert.ok(Math.abs(actual / expected - 1) < share, `${actual} is not near ${expected}`);

test('finds the law that made the steps', () => {
  const law = { lambda: 0.5, sigma: 2e-4, kappa: 2e-7 };
  const fit = fitLaw(stepsOf(law));
  near(fit.lambda, law.lambda, 1e-6);
  near(fit.sigma, law.sigma, 1e-4);
  near(fit.kappa, law.kappa, 1e-4);
  near(fit.peakUsers, Math.sqrt((1 - law.sigma) / law.kappa), 1e-4);
});

test('a straight line has no peak', () => {
  const fit = fitLaw(stepsOf({ lambda: 0.5, sigma: 0, kappa: 0 }));
  near(fit.lambda, 0.5, 1e-9);
  assert.ok(fit.peakThroughput > 1e6);
});

test('throughput that flattens has a ceiling, λ/σ', () => {
  const fit = fitLaw(stepsOf({ lambda: 0.5, sigma: 5e-4, kappa: 0 }));
  near(fit.peakThroughput, 1000, 0.01);
});

test('σ and κ are never below zero, however the steps lie', () => {
  for (let round = 0; round < 200; round++) {
    const random = randomOf('hostile', round);
    const { sigma, kappa, lambda } = fitLaw(sizes.map((users) => ({ users, throughput: 1 + 1000 * random() })));
    assert.ok(sigma >= 0 && kappa >= 0 && lambda > 0);
  }
});

test('of 100 intervals of 95 %, most hold the true peak', () => {
  const law = { lambda: 0.5, sigma: 3e-4, kappa: 2e-7 };
  const truth = throughputOf(law, Math.sqrt((1 - law.sigma) / law.kappa));
  let held = 0;
  for (let round = 0; round < 100; round++) {
    const random = randomOf('peaks', round);
    const { peakLow, peakHigh } = fitWithInterval(
      stepsOf(law, () => 1 + 0.04 * (random() - 0.5)),
      random,
      { samples: 300 },
    );
    if (peakLow <= truth && truth <= peakHigh) held += 1;
  }
  assert.ok(held >= 85, `${held} of 100`);
});

test('two sizes are too few', () => {
  assert.throws(
    () =>
      fitLaw([
        { users: 1, throughput: 1 },
        { users: 2, throughput: 2 },
        { users: 2, throughput: 2 },
      ]),
    /three steps/,
  );
});
