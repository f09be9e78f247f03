/**
 * How much slower B is than A, from pairs measured one after the other: the Hodges-Lehmann estimate
 * of the ratio, and its interval.
 *
 * Pairs, because a disturbance of a shared machine lasts longer than a block and so touches both
 * halves of a pair; ratios of pairs, because costs multiply; medians of means of two, because one
 * disturbed pair must not decide (Hodges and Lehmann, 1963; efficiency 0.955 of the mean's where
 * the mean is best). The interval is a bootstrap over whole pairs: nothing is assumed about how
 * they are distributed.
 * @module
 */
import type { Random } from '../arrivals/random.ts';

/** One measurement of A and one of B, next to each other in time; both above zero, in one unit. */
export interface Pair {
  readonly a: number;
  readonly b: number;
}

/** A ratio B / A with its interval. */
export interface PairedRatio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly pairs: number;
}

const middle = (sorted: Float64Array): number => {
  const half = sorted.length >> 1;
  const upper = sorted[half] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
};

/**
 * The median of the means of every two values, each with itself included (Walsh averages). `NaN`
 * for none.
 */
export const hodgesLehmann = (values: ArrayLike<number>): number => {
  const count = values.length;
  const means = new Float64Array((count * (count + 1)) / 2);
  let next = 0;
  for (let first = 0; first < count; first++)
    for (let second = first; second < count; second++)
      means[next++] = ((values[first] ?? Number.NaN) + (values[second] ?? Number.NaN)) / 2;
  return middle(means.sort());
};

/** Bootstrap samples: the ends of a 95 % interval are then the 50th and the 1,950th of them. */
const samplesUsual = 2000;

/**
 * Estimates B / A.
 * @param confidence share of such intervals that hold the true ratio, 0 to 1
 * @throws {RangeError} when there are fewer than two pairs, or a value is not above zero
 */
export const pairedRatio = (
  pairs: readonly Pair[],
  random: Random,
  { confidence = 0.95, samples = samplesUsual }: { readonly confidence?: number; readonly samples?: number } = {},
): PairedRatio => {
  if (pairs.length < 2) throw new RangeError(`A ratio needs two pairs or more, not ${pairs.length}`);
  if (pairs.some(({ a, b }) => !(a > 0 && b > 0 && Number.isFinite(a * b))))
    throw new RangeError('A ratio needs values above zero');
  const logs = Float64Array.from(pairs, ({ a, b }) => Math.log(b / a));
  const estimates = new Float64Array(samples);
  const drawn = new Float64Array(logs.length);
  for (let sample = 0; sample < samples; sample++) {
    for (let index = 0; index < drawn.length; index++)
      drawn[index] = logs[Math.floor(random() * logs.length)] ?? Number.NaN;
    estimates[sample] = hodgesLehmann(drawn);
  }
  estimates.sort();
  const at = (share: number): number =>
    estimates[Math.min(samples - 1, Math.max(0, Math.round(share * (samples - 1))))] ?? Number.NaN;
  const tail = (1 - confidence) / 2;
  return {
    ratio: Math.exp(hodgesLehmann(logs)),
    low: Math.exp(at(tail)),
    high: Math.exp(at(1 - tail)),
    pairs: pairs.length,
  };
};
