/**
 * Figures of the report of 3 October 2025, an earlier Python system: its runs, how it degraded, and the services it compared itself with.
 * They stand beside ours for scale. Its server checked no password and had no database; the size of its machine is not stated.
 * @module
 */

/** A run of that report. Latencies in milliseconds. */
export interface EarlierRun {
  readonly name: string;
  readonly users: number;
  readonly requests: number;
  readonly perSecond: number;
  /** Expected refusals included. */
  readonly failedPercent: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number | undefined;
}

/** Its runs, of three minutes each. */
export const earlierRuns: readonly EarlierRun[] = [
  {
    name: '1,000 users, 50/s, 1 process',
    users: 1000,
    requests: 68_545,
    perSecond: 389,
    failedPercent: 0.95,
    p50: 14,
    p95: 180,
    p99: 2100,
  },
  {
    name: '5,000 users, 100/s, 1 process',
    users: 5000,
    requests: 82_687,
    perSecond: 458,
    failedPercent: 3.76,
    p50: 1300,
    p95: 33_000,
    p99: 80_000,
  },
  {
    name: '5,000 users, 100/s, 4 processes that share nothing',
    users: 5000,
    requests: 61_551,
    perSecond: 343,
    failedPercent: 43.85,
    p50: 2700,
    p95: 23_000,
    p99: undefined,
  },
];

/** How it described itself under growing load. */
export const earlierDegradation: readonly (readonly [users: string, p50: string, words: string])[] = [
  ['0 to 1,000', '14 ms', 'optimal'],
  ['1,000 to 3,000', 'not given', 'gradually worse, acceptable'],
  ['3,000 to 5,000', '1,300 ms', 'degraded'],
  ['over 5,000', 'not given', 'saturated: connections fail'],
];

/** What it assumed of services, without a source: nobody measured these here. */
export const assumedServices: readonly (readonly [service: string, p50: string, p95: string, p99: string])[] = [
  ['Auth0 premium', '< 50', '< 200', '< 500'],
  ['Okta standard', '< 100', '< 500', '< 1,000'],
  ['AWS Cognito', '< 200', '< 1,000', '< 2,000'],
];

/** Its errors of the baseline run, by kind. */
export const earlierErrors = { expected: 652, real: 2, requests: 68_545 } as const;

/** Its rating of itself, out of ten. */
export const earlierRating = 9.3;
