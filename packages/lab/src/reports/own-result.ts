/**
 * What an own scenario has counted, as the result tells it.
 * @module
 */

/** A distribution of values in the scenario's own unit. */
export interface TrendResult {
  readonly name: string;
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** By percentile; empty when nothing was recorded. */
  readonly percentiles: Readonly<Record<string, number>>;
}

/** Checks and metrics. */
export interface OwnResult {
  /** All that were declared: one that neither passed nor failed never ran. */
  readonly checks: readonly { readonly name: string; readonly passed: number; readonly failed: number }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly trends: readonly TrendResult[];
}

/** A line for each, for the summary. */
export const ownLines = (own: OwnResult | null): readonly string[] => {
  if (own === null) return [];
  return [
    ...own.checks.map(({ name, passed, failed }) =>
      passed + failed === 0
        ? `  – check "${name}" never ran`
        : `  ${failed === 0 ? '✔' : '✘'} check "${name}": held ${passed} times, failed ${failed} times`,
    ),
    // A sum of fractions: 0.1 and 0.2 are 0.3 to a reader.
    ...Object.entries(own.counters).map(([name, sum]) => `  ${name}: ${Number(sum.toPrecision(12))}`),
    ...own.trends.map(
      ({ name, count, percentiles }) =>
        `  ${name}: p50 ${percentiles['50'] ?? '–'}  p95 ${percentiles['95'] ?? '–'}  p99 ${percentiles['99'] ?? '–'}  (${count} values)`,
    ),
  ];
};
