/**
 * The series of a target's `/metrics` that a run records, and the figures made of their samples.
 * Names: `docs/operating/metrics.md`; those that other Node services use for the same stand beside
 * them.
 * @module
 */
import type { Sample } from './prometheus-text.ts';

/** One scrape, by series with its labels. */
export type Scrape = ReadonlyMap<string, Sample>;

/** A series of the result. */
export interface ServerSeries {
  readonly name: string;
  readonly unit: string;
  /** Names of the samples it is made of. */
  readonly from: readonly string[];
  /**
   * Its value from a scrape and the one before, `seconds` earlier; `undefined` where the target
   * does not expose it.
   */
  readonly read: (now: Scrape, before: Scrape | undefined, seconds: number) => number | undefined;
}

const p = 'catalytic_';

type Choice = Readonly<Record<string, string>>;
const chosen = (scrape: Scrape, names: readonly string[], choice: Choice): readonly (readonly [string, Sample])[] =>
  [...scrape].filter(
    ([, { name, labels }]) =>
      names.includes(name) && Object.entries(choice).every(([key, value]) => labels[key] === value),
  );

const gauge = (
  name: string,
  unit: string,
  from: readonly string[],
  over: 'sum' | 'max' | 'min',
  { choice = {}, factor = 1 }: { choice?: Choice; factor?: number } = {},
): ServerSeries => ({
  name,
  unit,
  from,
  read: (now) => {
    const values = chosen(now, from, choice).map(([, { value }]) => value * factor);
    if (values.length === 0) return undefined;
    return over === 'sum' ? values.reduce((sum, value) => sum + value, 0) : Math[over](...values);
  },
});

/**
 * Growth of counters. A worker that was replaced counts from zero; one that was not there before
 * has no growth yet.
 */
const growth = (now: Scrape, before: Scrape, names: readonly string[], choice: Choice): number | undefined => {
  const pairs = chosen(now, names, choice).flatMap(([key, { value }]) => {
    const earlier = before.get(key)?.value;
    return earlier === undefined ? [] : [value >= earlier ? value - earlier : value];
  });
  return pairs.length === 0 ? undefined : pairs.reduce((sum, value) => sum + value, 0);
};

const rate = (name: string, unit: string, from: readonly string[], factor = 1, choice: Choice = {}): ServerSeries => ({
  name,
  unit,
  from,
  read: (now, before, seconds) => {
    const grown = before === undefined ? undefined : growth(now, before, from, choice);
    return grown === undefined || seconds <= 0 ? undefined : (grown / seconds) * factor;
  },
});

/**
 * Mean of a histogram's observations since the scrape before, milliseconds; not said where there
 * were none.
 */
const meanMs = (name: string, histogram: string): ServerSeries => ({
  name,
  unit: 'ms',
  from: [`${histogram}_sum`, `${histogram}_count`],
  read: (now, before) => {
    if (before === undefined) return undefined;
    const count = growth(now, before, [`${histogram}_count`], {});
    const sum = growth(now, before, [`${histogram}_sum`], {});
    return count === undefined || sum === undefined || count === 0 ? undefined : (sum / count) * 1000;
  },
});

/** All of them. Their names are the keys of the result and belong to its format. */
export const serverSeries: readonly ServerSeries[] = [
  rate(
    'cpu',
    '% of a core',
    [
      `${p}process_cpu_user_seconds_total`,
      `${p}process_cpu_system_seconds_total`,
      'process_cpu_user_seconds_total',
      'process_cpu_system_seconds_total',
    ],
    100,
  ),
  gauge('memory', 'MB', [`${p}process_resident_memory_bytes`, 'process_resident_memory_bytes'], 'sum', {
    factor: 2 ** -20,
  }),
  gauge('heap_used', 'MB', [`${p}nodejs_heap_bytes`], 'sum', { choice: { state: 'used' }, factor: 2 ** -20 }),
  gauge('loop_delay_p99', 'ms', [`${p}nodejs_eventloop_lag_seconds`], 'max', {
    choice: { statistic: 'p99' },
    factor: 1000,
  }),
  gauge('open_files', 'count', [`${p}process_open_fds`, 'process_open_fds'], 'sum'),
  gauge('workers_reporting', 'count', [`${p}workers_reporting`], 'sum'),
  gauge('database_busy', 'count', [`${p}database_connections`], 'sum', { choice: { state: 'busy' } }),
  gauge('database_idle', 'count', [`${p}database_connections`], 'sum', { choice: { state: 'idle' } }),
  gauge('database_waiting', 'count', [`${p}database_waiting`], 'sum'),
  gauge('redis_up', '0 or 1', [`${p}bus_up`], 'min'),
  rate('redis_messages', '1/s', [`${p}bus_messages_total`]),
  meanMs('redis_round_trip', `${p}bus_round_trip_seconds`),
  gauge('hash_lanes_busy', 'count', [`${p}hash_lanes_busy`], 'sum'),
  gauge('hash_queue', 'count', [`${p}hash_queue`], 'sum'),
  meanMs('revocation_barrier', `${p}revocation_barrier_seconds`),
  gauge('revocations_held', 'count', [`${p}view_entries`], 'max'),
  gauge('currency_age', 's', [`${p}currency_age_seconds`], 'max'),
];

const names = new Set(serverSeries.flatMap(({ from }) => from));

/** Whether any series is made of samples of this name. */
export const isWantedSample = (name: string): boolean => names.has(name);
