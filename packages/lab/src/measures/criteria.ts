/**
 * Criteria as a scenario writes them, and their verdicts.
 * @module
 */
import type { Verdict } from '../results/verdict.ts';
import type { Histogram } from '../statistics/histogram.ts';
import type { Window } from './window.ts';

/** A limit; `null` or `'none'` switches a criterion off. */
export type Limit = number | null | 'none';

/** Limits of one endpoint. */
export interface EndpointCriteria {
  readonly p50MsMax?: Limit;
  readonly p95MsMax?: Limit;
  readonly p99MsMax?: Limit;
  readonly realFailuresPercentMax?: Limit;
}

/** Limits of a counter: of its sum, and of its sum per second. */
export interface CounterCriteria {
  readonly min?: Limit;
  readonly max?: Limit;
  readonly perSecondMin?: Limit;
  readonly perSecondMax?: Limit;
}

/** Limits of the values of a trend. */
export interface TrendCriteria {
  readonly p50Max?: Limit;
  readonly p95Max?: Limit;
  readonly p99Max?: Limit;
  readonly meanMax?: Limit;
  readonly meanMin?: Limit;
  /** The lowest value may not be below it. */
  readonly minMin?: Limit;
  /** The highest value may not be above it. */
  readonly maxMax?: Limit;
}

/**
 * Limits a run must keep to pass. Real failures are judged at 1 % unless a limit is given; no other
 * measure is judged without one.
 */
export interface Criteria {
  readonly p50MsMax?: Limit;
  readonly p95MsMax?: Limit;
  readonly p99MsMax?: Limit;
  /** Of all requests. */
  readonly realFailuresPercentMax?: Limit;
  /** Of the requests of each endpoint: a small one cannot hide behind a large one. */
  readonly endpointFailuresPercentMax?: Limit;
  /** From a logout's answer 200 until every worker has refused the token. */
  readonly rejectedMsMax?: Limit;
  /** By the names that requests are counted under: `GET /items/:id`. */
  readonly endpoints?: Readonly<Record<string, EndpointCriteria>>;
  /** By the names of the scenario's checks. */
  readonly checks?: Readonly<Record<string, { readonly failedPercentMax?: Limit }>>;
  /** By the names of its counters. */
  readonly counters?: Readonly<Record<string, CounterCriteria>>;
  /** By the names of its trends. */
  readonly trends?: Readonly<Record<string, TrendCriteria>>;
}

/** A measured value, or the reason why there is none. */
export type Taken = number | { readonly reason: string };

/**
 * Fewest samples for a percentile to mean something: ten beyond it, and so on both sides of the
 * median.
 */
export const samplesMin = { 50: 20, 95: 200, 99: 1000 } as const;

/** A percentile that is judged. */
export type JudgedPercentile = keyof typeof samplesMin;

/** Judges one criterion. */
export const judge = (criterion: string, limit: number, taken: Taken, isLeast = false): Verdict => {
  const head = { criterion, limit, ...(isLeast ? { at_least: true as const } : {}) };
  // Not-a-number keeps no limit and breaks none.
  if (typeof taken === 'number' && Number.isNaN(taken))
    return { ...head, measured: null, verdict: 'not judged', reason: 'what was measured is no number' };
  if (typeof taken !== 'number') return { ...head, measured: null, verdict: 'not judged', reason: taken.reason };
  const isKept = isLeast ? taken >= limit : taken <= limit;
  return { ...head, measured: taken, verdict: isKept ? 'passed' : 'failed' };
};

/** Per cent of all; `null` when there is nothing. */
export const percentOf = (part: number, all: number): number | null => (all === 0 ? null : (100 * part) / all);

/** Requests of a window by outcome. */
export const outcomesOf = (window: Window): { ok: number; expected: number; real: number; all: number } => {
  const sum = { ok: 0, expected: 0, real: 0, all: 0 };
  for (const { ok, expected, real } of window.endpoints.values()) {
    sum.ok += ok;
    sum.expected += expected;
    sum.real += real;
    sum.all += ok + expected + real;
  }
  return sum;
};

/**
 * The strictest percentile that the number of samples allows: the 99th, else the 95th, else the
 * median.
 */
export const strictest = ({ count }: Histogram): JudgedPercentile =>
  count >= samplesMin[99] ? 99 : count >= samplesMin[95] ? 95 : 50;

/** A percentile of a histogram, or that it has too few samples. */
export const percentileAt = (histogram: Histogram, at: JudgedPercentile): Taken => {
  const needed = samplesMin[at];
  return histogram.count < needed
    ? { reason: `${histogram.count} samples, ${needed} are needed: use a longer run or more users` }
    : (histogram.at(at) ?? Number.NaN);
};
