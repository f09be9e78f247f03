/**
 * The universal scalability law (Gunther, 2007): throughput of N users,
 *
 *     X(N) = λN / (1 + σ(N − 1) + κN(N − 1))
 *
 * λ: throughput of one user alone; σ: share of the work that is serial; κ: cost of users waiting
 * for each other. With σ = κ = 0 it is the straight line of a service that is not busy.
 * @module
 */
import type { Random } from '../arrivals/random.ts';

/** One measured step. */
export interface Step {
  readonly users: number;
  /** Requests per second. */
  readonly throughput: number;
}

/** A fitted law. */
export interface Law {
  readonly lambda: number;
  readonly sigma: number;
  readonly kappa: number;
}

/** A fitted law and where it peaks. */
export interface Fit extends Law {
  /** Users at the peak; `Infinity` where the law has none: without κ it only flattens. */
  readonly peakUsers: number;
  /** Throughput there; the ceiling λ/σ where there is no peak. */
  readonly peakThroughput: number;
}

/** A fit with an interval of its peak throughput. */
export interface FitWithInterval extends Fit {
  readonly peakLow: number;
  readonly peakHigh: number;
}

/** Throughput of a number of users by a law. */
export const throughputOf = ({ lambda, sigma, kappa }: Law, users: number): number =>
  (lambda * users) / (1 + sigma * (users - 1) + kappa * users * (users - 1));

const withPeak = (law: Law): Fit => {
  const { lambda, sigma, kappa } = law;
  const peakUsers = kappa > 0 ? Math.sqrt(Math.max(0, 1 - sigma) / kappa) : Number.POSITIVE_INFINITY;
  const peakThroughput = Number.isFinite(peakUsers)
    ? throughputOf(law, Math.max(1, peakUsers))
    : sigma > 0
      ? lambda / sigma
      : Number.POSITIVE_INFINITY;
  return { ...law, peakUsers, peakThroughput };
};

/**
 * Solves the normal equations of a few unknowns by elimination with pivoting; `undefined` where
 * they do not determine them.
 */
const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): number[] | undefined => {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column; row < size; row++)
      if (Math.abs(rows[row]?.[column] ?? 0) > Math.abs(rows[pivot]?.[column] ?? 0)) pivot = row;
    const [top, chosen] = [rows[column] as number[], rows[pivot] as number[]];
    rows[column] = chosen;
    rows[pivot] = top;
    const head = chosen[column] ?? 0;
    if (Math.abs(head) < 1e-300) return undefined;
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const line = rows[row] as number[];
      const factor = (line[column] ?? 0) / head;
      for (let at = column; at <= size; at++) line[at] = (line[at] ?? 0) - factor * (chosen[at] ?? 0);
    }
  }
  return rows.map((row, index) => (row[size] ?? 0) / (row[index] ?? 1));
};

/**
 * The factors of the unknowns in X-weighted, linear form: N/X = 1/λ + (σ/λ)(N − 1) + (κ/λ)N(N − 1).
 */
const termsOf = (users: number): readonly [number, number, number] => [1, users - 1, users * (users - 1)];

/** Least squares with relative errors, over some of the three unknowns; the others are zero. */
const fitSome = (steps: readonly Step[], chosen: readonly number[]): readonly [number, number, number] | undefined => {
  const rows = steps.map(({ users, throughput }) => {
    // Weighted by X/N: an error of one per cent weighs the same at every step.
    const weight = throughput / users;
    const terms = termsOf(users);
    return chosen.map((index) => (terms[index] ?? 0) * weight);
  });
  const matrix = chosen.map((_, i) =>
    chosen.map((__, j) => rows.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), 0)),
  );
  const solved = solve(
    matrix,
    chosen.map((_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0)),
  );
  if (solved === undefined) return undefined;
  const all: [number, number, number] = [0, 0, 0];
  for (const [position, index] of chosen.entries()) all[index] = solved[position] ?? 0;
  return all;
};

const errorOf = (steps: readonly Step[], unknowns: readonly [number, number, number]): number =>
  steps.reduce((sum, { users, throughput }) => {
    const terms = termsOf(users);
    const fitted = terms.reduce((total, term, index) => total + term * (unknowns[index] ?? 0), 0);
    return sum + ((fitted * throughput) / users - 1) ** 2;
  }, 0);

/**
 * Fits the law; σ and κ are never below zero.
 * @throws {RangeError} for fewer than three steps of different size
 */
export const fitLaw = (steps: readonly Step[]): Fit => {
  if (new Set(steps.map(({ users }) => users)).size < 3)
    throw new RangeError('The scalability law has three unknowns: it needs three steps of different size or more');
  const candidates = [[0, 1, 2], [0, 1], [0, 2], [0]]
    .flatMap((chosen) => {
      const unknowns = fitSome(steps, chosen);
      return unknowns === undefined || unknowns[0] <= 0 || unknowns[1] < 0 || unknowns[2] < 0 ? [] : [unknowns];
    })
    .sort((one, other) => errorOf(steps, one) - errorOf(steps, other));
  const [best] = candidates;
  if (best === undefined) throw new RangeError('No scalability law fits: throughput must be above zero in every step');
  return withPeak({ lambda: 1 / best[0], sigma: best[1] / best[0], kappa: best[2] / best[0] });
};

/**
 * Fits the law and an interval of its peak throughput: a bootstrap over the relative residuals of
 * the steps.
 * @see fitLaw
 */
export const fitWithInterval = (
  steps: readonly Step[],
  random: Random,
  { confidence = 0.95, samples = 1000 }: { readonly confidence?: number; readonly samples?: number } = {},
): FitWithInterval => {
  const fit = fitLaw(steps);
  const residuals = steps.map(({ users, throughput }) => throughput / throughputOf(fit, users));
  // Three unknowns bend towards the points: residuals are that much too small.
  const stretch = Math.sqrt(steps.length / Math.max(1, steps.length - 3));
  const peaks: number[] = [];
  for (let sample = 0; sample < samples; sample++) {
    const drawn = steps.map(({ users }) => {
      const residual = residuals[Math.floor(random() * residuals.length)] ?? 1;
      return { users, throughput: throughputOf(fit, users) * Math.max(0.01, 1 + (residual - 1) * stretch) };
    });
    peaks.push(fitLaw(drawn).peakThroughput);
  }
  peaks.sort((one, other) => one - other);
  const at = (share: number): number => peaks[Math.round(share * (samples - 1))] ?? Number.NaN;
  const tail = (1 - confidence) / 2;
  return {
    ...fit,
    peakLow: Math.min(at(tail), fit.peakThroughput),
    peakHigh: Math.max(at(1 - tail), fit.peakThroughput),
  };
};
