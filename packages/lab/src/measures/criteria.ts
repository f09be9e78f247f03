/**
 * Criteria and their verdicts.
 * @module
 */
import type { Window } from './recorder.ts';

/** Limits a run must keep to pass. */
export interface Criteria {
  readonly p50MsMax: number;
  readonly p95MsMax: number;
  readonly p99MsMax: number;
  readonly realFailuresPercentMax: number;
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

const judge = (criterion: string, limit: number, measured: number | null): Verdict => ({
  criterion,
  limit,
  measured,
  verdict: measured === null ? 'not judged' : measured <= limit ? 'passed' : 'failed',
});

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

const pendingPercent = ({ completed, pending }: { completed: number; pending: number }): number | null =>
  completed + pending === 0 ? null : (100 * pending) / (completed + pending);

/**
 * Judges a window.
 * @param logouts `undefined` in a run with faults: a logout that finds a process away may answer 202
 */
export const judgeWindow = (
  window: Window,
  criteria: Criteria,
  logouts: { readonly completed: number; readonly pending: number } | undefined,
): readonly Verdict[] => {
  const percentile = (at: 50 | 95 | 99): number | null =>
    window.total.count < samplesMin[at] ? null : (window.total.at(at) ?? null);
  const { real, all } = outcomesOf(window);
  return [
    judge('p50, ms', criteria.p50MsMax, percentile(50)),
    judge('p95, ms', criteria.p95MsMax, percentile(95)),
    judge('p99, ms', criteria.p99MsMax, percentile(99)),
    judge('real failures, %', criteria.realFailuresPercentMax, all === 0 ? null : (100 * real) / all),
    ...(logouts === undefined
      ? []
      : [judge('logouts answered 202, %', pendingLogoutsPercentMax, pendingPercent(logouts))]),
  ];
};
