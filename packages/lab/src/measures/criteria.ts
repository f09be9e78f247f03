/**
 * Criteria and their verdicts.
 * @module
 */
import type { Histogram } from './histogram.ts';
import type { Window } from './window.ts';

/** Limits a run must keep to pass; what a scenario leaves out is not judged. */
export interface Criteria {
  readonly p50MsMax?: number;
  readonly p95MsMax?: number;
  readonly p99MsMax?: number;
  /** Of all requests. */
  readonly realFailuresPercentMax?: number;
  /** Of the requests of each endpoint: a small one cannot hide behind a large one. */
  readonly endpointFailuresPercentMax?: number;
  /** From a logout's answer 200 until every worker has refused the token. */
  readonly rejectedMsMax?: number;
}

/** One criterion, judged. */
export interface Verdict {
  readonly criterion: string;
  readonly limit: number;
  /** `null` when there were too few samples. */
  readonly measured: number | null;
  readonly verdict: 'passed' | 'failed' | 'not judged';
}

/** Fewest samples for a percentile to mean something: ten beyond it, and so on both sides of the median. */
export const samplesMin = { 50: 20, 95: 200, 99: 1000 } as const;
/** Share of logouts that may answer 202 in a run without faults, per cent. */
const pendingLogoutsPercentMax = 0.1;

/** Judges one criterion; without a limit there is none. */
export const judge = (criterion: string, limit: number | undefined, measured: number | null): readonly Verdict[] =>
  limit === undefined
    ? []
    : [
        {
          criterion,
          limit,
          measured,
          verdict: measured === null ? 'not judged' : measured <= limit ? 'passed' : 'failed',
        },
      ];

/** Per cent of all; `null` when there is nothing. */
export const percentOf = (part: number, all: number): number | null => (all === 0 ? null : (100 * part) / all);

const judgeEndpoints = (window: Window, limit: number | undefined): readonly Verdict[] =>
  [...window.endpoints.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ method, name, ok, expected, real }) =>
      judge(`real failures of ${method} ${name}, %`, limit, percentOf(real, ok + expected + real)),
    );

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

/** The strictest percentile that so many samples allow to judge: the 99th, else the 95th, else the median. */
const strictest = ({ count }: Histogram): 50 | 95 | 99 =>
  count >= samplesMin[99] ? 99 : count >= samplesMin[95] ? 95 : 50;

/** Judges a histogram at one percentile; too few samples are not judged. */
const measuredAt = (histogram: Histogram, at: 50 | 95 | 99): number | null =>
  histogram.count < samplesMin[at] ? null : (histogram.at(at) ?? null);

/**
 * Judges a window.
 * @param logouts `undefined` in a run with faults: a logout that finds a process away may answer 202
 * @param rejection times from a logout's answer until every worker had refused the token, where the scenario measures them
 */
export const judgeWindow = (
  window: Window,
  criteria: Criteria,
  logouts: { readonly completed: number; readonly pending: number } | undefined,
  rejection?: Histogram,
): readonly Verdict[] => {
  const { real, all } = outcomesOf(window);
  const rejectionAt = rejection === undefined ? 50 : strictest(rejection);
  return [
    ...judge('p50, ms', criteria.p50MsMax, measuredAt(window.total, 50)),
    ...judge('p95, ms', criteria.p95MsMax, measuredAt(window.total, 95)),
    ...judge('p99, ms', criteria.p99MsMax, measuredAt(window.total, 99)),
    ...judge('real failures, %', criteria.realFailuresPercentMax, percentOf(real, all)),
    ...judgeEndpoints(window, criteria.endpointFailuresPercentMax),
    ...(rejection === undefined
      ? []
      : judge(
          `rejected by all that were asked after the logout's answer, p${rejectionAt}, ms`,
          criteria.rejectedMsMax,
          measuredAt(rejection, rejectionAt),
        )),
    ...(logouts === undefined
      ? []
      : judge(
          'logouts answered 202, %',
          pendingLogoutsPercentMax,
          percentOf(logouts.pending, logouts.completed + logouts.pending),
        )),
  ];
};
