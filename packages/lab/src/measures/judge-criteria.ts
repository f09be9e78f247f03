/**
 * Judges the criteria of a run.
 * @module
 */

import type { Verdict } from '../results/verdict.ts';
import type { Histogram } from '../statistics/histogram.ts';
import {
  type JudgedPercentile,
  judge,
  outcomesOf,
  percentileAt,
  percentOf,
  strictest,
  type Taken,
} from './criteria.ts';
import { type AskedCriterion, isLeast } from './criterion.ts';
import type { CustomMeasures } from './custom-measures.ts';
import type { EndpointMeasure, Window } from './window.ts';

/** The measurements that are judged. */
export interface Judgeable {
  /** The judged window: steady, or the whole run. */
  readonly window: Window;
  /** Checks and metrics of a custom scenario, over the whole run. */
  readonly custom: CustomMeasures | undefined;
  /** Length of the whole run. */
  readonly seconds: number;
  /**
   * Times from a logout's answer until every worker had refused the token, where the scenario
   * measures them.
   */
  readonly rejection: Histogram | undefined;
  /** `undefined` in a run with faults: a logout that finds a process away may answer 202. */
  readonly logouts: { readonly completed: number; readonly pending: number } | undefined;
}

/** Share of logouts that may answer 202 in a run without faults, per cent. */
const pendingLogoutsPercentMax = 0.1;

const percentiles: Readonly<Record<string, JudgedPercentile>> = { p50: 50, p95: 95, p99: 99 };

const requestsOf = ({ ok, expected, real }: EndpointMeasure): number => ok + expected + real;

const shareOf = (part: number, all: number, reason: string): Taken => percentOf(part, all) ?? { reason };

const noRequest = 'no request was counted in the judged window: use a longer run';

const ofRun = (criterion: AskedCriterion, { window, rejection }: Judgeable): readonly Verdict[] => {
  const { measure, limit } = criterion;
  const at = percentiles[measure];
  if (at !== undefined) return [judge(`${measure}, ms`, limit, percentileAt(window.total, at))];
  const { real, all } = outcomesOf(window);
  if (measure === 'failures') return [judge('real failures, %', limit, shareOf(real, all, noRequest))];
  if (measure === 'rejected') {
    const strict = rejection === undefined ? 50 : strictest(rejection);
    const taken = rejection === undefined ? { reason: 'nothing measured it' } : percentileAt(rejection, strict);
    return [judge(`rejected by all that were asked after the logout's answer, p${strict}, ms`, limit, taken)];
  }
  const endpoints = [...window.endpoints.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (endpoints.length === 0) return [judge('real failures of each endpoint, %', limit, { reason: noRequest })];
  return endpoints.map((endpoint) =>
    judge(
      `real failures of ${endpoint.method} ${endpoint.name}, %`,
      limit,
      shareOf(endpoint.real, requestsOf(endpoint), noRequest),
    ),
  );
};

/** Endpoints that a reason names; more would bury it. */
const namedMax = 8;

const neverAsked = ({ endpoints }: Window): string => {
  const names = [...endpoints.keys()];
  const named = names.slice(0, namedMax).join(', ');
  return `no request was counted under this name in the judged window; ${
    names.length === 0 ? 'nor any other' : `counted were ${named}${names.length > namedMax ? ', …' : ''}`
  }`;
};

const ofEndpoint = ({ name, measure, limit }: AskedCriterion, { window }: Judgeable): Verdict => {
  const endpoint = window.endpoints.get(name);
  const at = percentiles[measure];
  const criterion = at === undefined ? `${name}: real failures, %` : `${name}: ${measure}, ms`;
  if (endpoint === undefined) return judge(criterion, limit, { reason: neverAsked(window) });
  return judge(
    criterion,
    limit,
    at === undefined ? shareOf(endpoint.real, requestsOf(endpoint), noRequest) : percentileAt(endpoint.latency, at),
  );
};

const ofCheck = ({ name, limit }: AskedCriterion, custom: CustomMeasures): Verdict => {
  const { passed, failed } = custom.checks.get(name) ?? { passed: 0, failed: 0 };
  const never = 'it never ran: see that a task calls it, and that --tag leaves that task in';
  return judge(`check "${name}": failed, % (whole run)`, limit, shareOf(failed, passed + failed, never));
};

const ofCounter = (criterion: AskedCriterion, custom: CustomMeasures, seconds: number): Verdict => {
  const { name, measure, limit } = criterion;
  const sum = custom.counters.get(name) ?? 0;
  const isRate = measure.startsWith('per-second');
  return judge(
    `counter "${name}"${isRate ? ', a second' : ''} (whole run)`,
    limit,
    isRate ? sum / seconds : sum,
    isLeast(criterion),
  );
};

const trendAt = (trend: Histogram, measure: string): Taken => {
  const at = percentiles[measure];
  if (at !== undefined) return percentileAt(trend, at);
  if (trend.count === 0)
    return { reason: 'no value was recorded: see that a task records one, and that --tag leaves that task in' };
  if (measure === 'min') return trend.minMs;
  return measure === 'max' ? trend.maxMs : trend.meanMs;
};

const ofTrend = (criterion: AskedCriterion, custom: CustomMeasures): Verdict => {
  const { name, measure, limit } = criterion;
  const trend = custom.trends.get(name);
  return judge(
    `trend "${name}": ${measure === 'mean-min' ? 'mean' : measure} (whole run)`,
    limit,
    trend === undefined ? { reason: 'the scenario declares no such trend' } : trendAt(trend, measure),
    isLeast(criterion),
  );
};

/** Judges one criterion; it has several verdicts where it is about each endpoint. */
export const judgeOne = (criterion: AskedCriterion, facts: Judgeable): readonly Verdict[] => {
  const { custom, seconds } = facts;
  if (criterion.of === 'run') return ofRun(criterion, facts);
  if (criterion.of === 'endpoint') return [ofEndpoint(criterion, facts)];
  if (custom === undefined) return [];
  if (criterion.of === 'check') return [ofCheck(criterion, custom)];
  return [criterion.of === 'counter' ? ofCounter(criterion, custom, seconds) : ofTrend(criterion, custom)];
};

/**
 * The criterion that applies without being asked for. Without an answered logout it has no verdict.
 */
const judgeLogouts = ({ logouts }: Judgeable): readonly Verdict[] => {
  const share = logouts && percentOf(logouts.pending, logouts.completed + logouts.pending);
  return share == null ? [] : [judge('logouts answered 202, %', pendingLogoutsPercentMax, share)];
};

/** Judges all criteria of a run. */
export const judgeCriteria = (criteria: readonly AskedCriterion[], facts: Judgeable): readonly Verdict[] => [
  ...criteria.flatMap((criterion) => judgeOne(criterion, facts)),
  ...judgeLogouts(facts),
];
