/**
 * Which resource was at its limit when latency rose? A rule, not an opinion: it is printed beside
 * its result.
 * @module
 */

import type { RunResult } from '../results/result.ts';
import { type RunData, runData } from './page/run-data.js';

/**
 * A point is slow when its p95 exceeds that of the calm quarter of the run by this factor and by
 * this many milliseconds.
 */
const slowTimes = 2;
const slowMsMin = 5;
/** Fewer slow points are chance. */
const slowPointsMin = 3;
/**
 * A resource is named when it was at its limit in this share of the slow points, per cent, and this
 * factor more often than in the others.
 */
const namedPercent = 50;
const namedTimes = 2;

/** A resource beside the slow and the other points of a run. */
export interface Evidence {
  readonly resource: string;
  readonly limit: string;
  readonly highest: number;
  /** Per cent of the slow points in which it was at its limit. */
  readonly slowPercent: number;
  readonly otherPercent: number;
  readonly isNamed: boolean;
}

/** The findings. */
export interface Bottleneck {
  readonly slowPoints: number;
  readonly points: number;
  /** Seconds per point. */
  readonly step: number;
  /** p95 that a quarter of the points did not exceed; `null` where no latency was measured. */
  readonly calmMs: number | null;
  readonly evidence: readonly Evidence[];
}

type Column = readonly (number | null)[];

interface Resource {
  readonly resource: string;
  readonly limit: string;
  readonly values: Column | undefined;
  readonly isAt: (value: number) => boolean;
}

const added = (a: Column | undefined, b: Column | undefined): Column | undefined =>
  a?.map((value, index) => (value === null ? null : value + (b?.[index] ?? 0)));

const perWorker = ({ server }: RunData): Column | undefined =>
  server['cpu']?.map((value, index) =>
    value === null ? null : value / Math.max(1, server['workers_reporting']?.[index] ?? 1),
  );

const atLeast = (resource: string, values: Column | undefined, limit: number, unit: string): Resource => ({
  resource,
  limit: `≥ ${limit} ${unit}`,
  values,
  isAt: (value) => value >= limit,
});

const above = (resource: string, values: Column | undefined): Resource => ({
  resource,
  limit: '> 0',
  values,
  isAt: (value) => value > 0,
});

const broken = (data: RunData): Column | undefined =>
  data.bands.length === 0
    ? undefined
    : (data.series['users'] ?? []).map((_, index) =>
        Number(data.bands.some(({ from, to }) => from < (index + 1) * data.step && to > index * data.step)),
      );

const resourcesOf = ({ machine }: RunResult, data: RunData): readonly Resource[] => {
  const { series, server } = data;
  return [
    atLeast(
      'CPU of the machine: target and generator together',
      added(series['target_cpu_percent'], series['generator_cpu_percent']),
      machine.cores * 90,
      '% of a core',
    ),
    atLeast('CPU of a worker, on average', perWorker(data), 90, '% of a core'),
    atLeast('event loop of the slowest worker, delay p99', server['loop_delay_p99'], 50, 'ms'),
    above('passwords waiting for a hash lane', server['hash_queue']),
    above('transactions waiting for a database connection', server['database_waiting']),
    { resource: 'Redis not connected', limit: '= 0', values: server['redis_up'], isAt: (value) => value === 0 },
    atLeast('age of the last read of the journal', server['currency_age'], 1, 's'),
    above('something was broken on purpose', broken(data)),
    atLeast('generator: CPU', series['generator_cpu_percent'], 90, '% of a core'),
    atLeast('generator: event-loop delay p99', series['loop_delay_p99_ms'], 50, 'ms'),
    atLeast('generator: event loop busy', series['loop_busy_percent'], 90, '% of the time'),
  ];
};

const share = (isAt: readonly boolean[]): number =>
  isAt.length === 0 ? 0 : (100 * isAt.filter(Boolean).length) / isAt.length;

const evidenceOf = ({ resource, limit, values, isAt }: Resource, slow: readonly boolean[]): readonly Evidence[] => {
  const known = (values ?? []).flatMap((value, index) =>
    value === null ? [] : [{ value, isSlow: slow[index] === true }],
  );
  if (known.length === 0) return [];
  const slowPercent = share(known.filter(({ isSlow }) => isSlow).map(({ value }) => isAt(value)));
  const otherPercent = share(known.filter(({ isSlow }) => !isSlow).map(({ value }) => isAt(value)));
  const isNamed = slowPercent >= namedPercent && slowPercent >= namedTimes * otherPercent;
  return [
    { resource, limit, highest: Math.max(...known.map(({ value }) => value)), slowPercent, otherPercent, isNamed },
  ];
};

/** A resource in a stretch of a run. */
export interface LimitReached {
  readonly resource: string;
  readonly limit: string;
  readonly highest: number;
  /** Per cent of the stretch in which it was at its limit. */
  readonly percent: number;
}

/**
 * Which resources were at their limits, and for how long, in the steady window of a run; in the
 * whole of one that was never steady.
 */
export const limitsReached = (result: RunResult): readonly LimitReached[] => {
  const data = runData(result);
  const { from_s: from, to_s: to } = result.steady ?? result.whole;
  return resourcesOf(result, data).flatMap(({ resource, limit, values, isAt }) => {
    const known = (values ?? []).filter((value, index): value is number => {
      const atSeconds = (index + 0.5) * data.step;
      return value !== null && atSeconds >= from && atSeconds <= to;
    });
    return known.length === 0
      ? []
      : [{ resource, limit, highest: Math.max(...known), percent: share(known.map((value) => isAt(value))) }];
  });
};

/** The rule in words. */
export const bottleneckRule = `A second is slow when its p95 is more than ${slowTimes} times, and ${slowMsMin} ms above, that of the calm quarter of the run. A resource is named when it was at its limit in at least ${namedPercent} % of the slow seconds and at least ${namedTimes} times as often as in the others. Being named is evidence, no proof: what is at its limit at the same time need not be the cause.`;

/** Looks for it. In long runs a point covers several seconds. */
export const findBottleneck = (result: RunResult): Bottleneck => {
  const data = runData(result);
  const p95 = data.series['p95_ms'] ?? [];
  const sorted = p95.filter((value) => value !== null).toSorted((a, b) => a - b);
  const calmMs = sorted[Math.floor(sorted.length / 4)] ?? null;
  const slow = p95.map(
    (value) => calmMs !== null && value !== null && value > calmMs * slowTimes && value > calmMs + slowMsMin,
  );
  const slowPoints = slow.filter(Boolean).length;
  const evidence = resourcesOf(result, data).flatMap((resource) => evidenceOf(resource, slow));
  return {
    slowPoints,
    points: p95.length,
    step: data.step,
    calmMs,
    evidence: slowPoints < slowPointsMin ? evidence.map((each) => ({ ...each, isNamed: false })) : evidence,
  };
};

/** The findings in a sentence. */
export const bottleneckSentence = ({ slowPoints, points, calmMs, evidence }: Bottleneck): string => {
  if (calmMs === null) return 'No latency was measured.';
  if (slowPoints < slowPointsMin) return `Latency did not rise: ${slowPoints} of ${points} seconds were slow.`;
  const named = evidence.filter(({ isNamed }) => isNamed).map(({ resource }) => resource);
  const always = evidence
    .filter(({ isNamed, slowPercent, otherPercent }) => !isNamed && Math.min(slowPercent, otherPercent) >= namedPercent)
    .map(({ resource }) => resource);
  const alwaysText = always.length === 0 ? '' : ` At their limit most of the run, slow or not: ${always.join('; ')}.`;
  const found =
    named.length === 0
      ? 'and no resource that was measured was at its limit so much more often in them than in the others'
      : `at their limit then: ${named.join('; ')}`;
  return `${slowPoints} of ${points} seconds were slow${named.length === 0 ? ', ' : '; '}${found}.${alwaysText}`;
};
