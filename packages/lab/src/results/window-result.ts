/**
 * A stretch of the run in the result, by endpoint.
 * @module
 */

/** Latencies in milliseconds by percentile. */
export type PercentilesMs = Readonly<Record<string, number>>;

/** A distribution of times. */
export interface TimesResult {
  readonly count: number;
  readonly mean_ms: number;
  readonly max_ms: number;
  readonly percentiles_ms: PercentilesMs;
}

/** One endpoint, or all of them together. */
export interface EndpointResult {
  readonly method: string;
  readonly name: string;
  readonly requests: number;
  readonly ok: number;
  readonly expected: number;
  readonly real: number;
  readonly requests_per_second: number;
  readonly mean_ms: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly mean_bytes: number;
  /** Of all requests, whatever came of them. */
  readonly percentiles_ms: PercentilesMs;
  /**
   * Of the requests with each outcome; absent where there was none, and in results of earlier
   * versions.
   */
  readonly ok_ms?: TimesResult;
  readonly expected_ms?: TimesResult;
  readonly real_ms?: TimesResult;
}

/** A percentile and its latency in milliseconds. */
export type CurvePoint = readonly [number, number];

/** A stretch of the run. */
export interface WindowResult {
  /** Seconds from the start of the run. */
  readonly from_s: number;
  readonly to_s: number;
  readonly total: EndpointResult;
  /**
   * Latencies of all endpoints, evenly over the orders of magnitude of 1 / (1 - percentile), as in
   * HDR histogram plots.
   */
  readonly curve: readonly CurvePoint[];
  readonly endpoints: readonly EndpointResult[];
  /**
   * Per cent of requests that were answered rightly, expected refusals counted as right, and not
   * counted at all.
   */
  readonly success_percent_with_expected: number;
  readonly success_percent_without_expected: number;
  /** Requests by the worker that answered; empty when the target does not name its workers. */
  readonly requests_by_worker: Readonly<Record<string, number>>;
}
