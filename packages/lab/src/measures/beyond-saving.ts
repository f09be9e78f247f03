/**
 * Says when a criterion cannot be kept any more, however well the rest of a run goes. Pure.
 * @module
 */

import type { Histogram } from '../statistics/histogram.ts';
import { type JudgedPercentile, outcomesOf, samplesMin } from './criteria.ts';
import { type AskedCriterion, nameOf } from './criterion.ts';
import type { CustomMeasures } from './custom-measures.ts';
import type { Window } from './window.ts';

/** Measurements of a run under way. */
export interface Progress {
  /** The steady window so far. */
  readonly window: Window;
  readonly custom: CustomMeasures | undefined;
  readonly rejection: Histogram | undefined;
}

/** The count of a criterion so far. */
export interface Tally {
  /** Unlike that of any other tally of the run. */
  readonly key: string;
  readonly all: number;
  /** Whether the criterion fails even if `more` requests come, each of them right and fast. */
  isLost(more: number): boolean;
}

/** Fewest requests or checks for a share to say anything. */
const countedMin = 20;

const percentiles: Readonly<Record<string, JudgedPercentile>> = { p50: 50, p95: 95, p99: 99 };

const percentileTally = (key: string, histogram: Histogram, at: JudgedPercentile, limit: number): Tally => {
  const all = histogram.count;
  return {
    key,
    all,
    isLost: (more) => {
      // Assume that all future values are below all present ones: the percentile of both is then at
      // this place among the present ones. One lower, because of rounding.
      const place = Math.ceil((at / 100) * (all + more)) - more - 1;
      return all >= samplesMin[at] && place > 0 && (histogram.at((100 * place) / all) ?? 0) > limit;
    },
  };
};

const shareTally = (key: string, bad: number, all: number, limit: number): Tally => ({
  key,
  all,
  isLost: (more) => all >= countedMin && bad > (limit / 100) * (all + more),
});

const runTallies = (criterion: AskedCriterion, { window, rejection }: Progress): readonly Tally[] => {
  const { measure, limit } = criterion;
  const key = nameOf(criterion);
  const at = percentiles[measure];
  if (at !== undefined) return [percentileTally(key, window.total, at, limit)];
  if (measure === 'rejected') return rejection === undefined ? [] : [percentileTally(key, rejection, 99, limit)];
  if (measure === 'failures') {
    const { real, all } = outcomesOf(window);
    return [shareTally(key, real, all, limit)];
  }
  return [...window.endpoints].map(([name, { ok, expected, real }]) =>
    shareTally(`${key} ${name}`, real, ok + expected + real, limit),
  );
};

const endpointTallies = (criterion: AskedCriterion, { window }: Progress): readonly Tally[] => {
  const endpoint = window.endpoints.get(criterion.name);
  if (endpoint === undefined) return [];
  const { latency, ok, expected, real } = endpoint;
  const at = percentiles[criterion.measure];
  const key = nameOf(criterion);
  return at === undefined
    ? [shareTally(key, real, ok + expected + real, criterion.limit)]
    : [percentileTally(key, latency, at, criterion.limit)];
};

const trendTallies = (criterion: AskedCriterion, trend: Histogram): readonly Tally[] => {
  const { measure, limit } = criterion;
  const key = nameOf(criterion);
  const at = percentiles[measure];
  if (at !== undefined) return [percentileTally(key, trend, at, limit)];
  // One value outside is enough, whatever comes.
  const isOutside = trend.count > 0 && (measure === 'min' ? trend.minMs < limit : trend.maxMs > limit);
  return [{ key, all: trend.count, isLost: () => isOutside }];
};

/**
 * Whether a criterion can be beyond saving at all: a counter may be counted down again, and a mean
 * may still become any.
 */
export const canBeBeyondSaving = ({ of, measure }: AskedCriterion): boolean =>
  of !== 'counter' && measure !== 'mean' && measure !== 'mean-min';

/** The count of a criterion so far; one tally per endpoint where it is about each endpoint. */
export const talliesOf = (criterion: AskedCriterion, progress: Progress): readonly Tally[] => {
  const { of, name, limit } = criterion;
  const { custom } = progress;
  if (!canBeBeyondSaving(criterion)) return [];
  if (of === 'run') return runTallies(criterion, progress);
  if (of === 'endpoint') return endpointTallies(criterion, progress);
  const check = custom?.checks.get(name);
  if (check !== undefined && of === 'check')
    return [shareTally(nameOf(criterion), check.failed, check.passed + check.failed, limit)];
  const trend = custom?.trends.get(name);
  return trend === undefined || of !== 'trend' ? [] : trendTallies(criterion, trend);
};
