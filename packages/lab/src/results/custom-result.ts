/**
 * Checks, counters and trends of a custom scenario in the result.
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
export interface CustomResult {
  /** All that were declared: one that neither passed nor failed never ran. */
  readonly checks: readonly { readonly name: string; readonly passed: number; readonly failed: number }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly trends: readonly TrendResult[];
}
