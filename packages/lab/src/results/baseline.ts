/**
 * Earlier figures, of this service or of another, that a report sets beside a run. Its schema is
 * `baseline.schema.json`.
 * @module
 */

/** One run of a baseline. Unknown figures are left out. */
export interface BaselineRun {
  /** Name for a reader. */
  readonly name: string;
  /** Name of the phase of an experiment that it stands beside. */
  readonly id?: string;
  readonly users?: number;
  readonly requests?: number;
  readonly requests_per_second?: number;
  /** Per cent of the requests that failed. */
  readonly failed_percent?: number;
  /** Per cent of the requests that were refused and had to be. */
  readonly expected_percent?: number;
  readonly p50_ms?: number;
  readonly p95_ms?: number;
  readonly p99_ms?: number;
}

/** All of it. */
export interface Baseline {
  readonly format: 'catalytic-lab-baseline/1';
  /** Where the figures come from, for a heading: `the release of May`. */
  readonly name: string;
  /** Facts that a comparison needs, a sentence or two each. */
  readonly notes?: readonly string[];
  readonly runs: readonly BaselineRun[];
}
