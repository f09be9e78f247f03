/**
 * Tables that only some runs have, the same in every report: connections, stages, and what an own scenario checked and measured.
 * @module
 */
import type { RunResult } from './result.ts';
import { number } from './tables.ts';
import { transportRows } from './transport-words.ts';

/** A table, in words. */
export interface FurtherTable {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const stagesOf = ({ options }: RunResult): FurtherTable => {
  let fromSeconds = 0;
  return {
    title: 'Stages',
    head: ['from s', 'to s', 'users', 'started or sent away a second', 'starts a second'],
    rows: options.stages.map(({ duration_s: seconds, users, spawn_rate: spawnRate, rate_per_second: rate }) => {
      const from = fromSeconds;
      fromSeconds += seconds;
      const spawned = users === null ? '–' : number(spawnRate ?? options.spawn_rate, 1);
      return [
        number(from),
        number(fromSeconds),
        users === null ? '–' : number(users),
        spawned,
        rate === null ? '–' : number(rate, 1),
      ];
    }),
  };
};

const checksOf = ({ own }: RunResult): FurtherTable => ({
  title: 'Checks of the scenario',
  head: ['check', 'held', 'failed', ''],
  rows: (own?.checks ?? []).map(({ name, passed, failed }) => [
    name,
    number(passed),
    number(failed),
    failed > 0 ? 'failed' : passed > 0 ? 'held' : 'never ran',
  ]),
});

const countersOf = ({ own }: RunResult): FurtherTable => ({
  title: 'Counters of the scenario',
  head: ['counter', 'sum'],
  rows: Object.entries(own?.counters ?? {}).map(([name, sum]) => [name, number(sum, Number.isInteger(sum) ? 0 : 2)]),
});

const trendsOf = ({ own }: RunResult): FurtherTable => ({
  title: 'Measures of the scenario',
  head: ['measure', 'values', 'mean', 'p50', 'p95', 'p99', 'least', 'most'],
  rows: (own?.trends ?? []).map(({ name, count, mean, min, max, percentiles }) => {
    const at = (percentile: string): number | undefined => percentiles[percentile];
    const figures = count === 0 ? [] : [mean, at('50'), at('95'), at('99'), min, max];
    const cells = figures.map((figure) => (figure === undefined ? '–' : number(figure, 2)));
    return [name, number(count), ...(cells.length === 0 ? Array<string>(6).fill('–') : cells)];
  }),
});

const connectionsOf = ({ transport }: RunResult): FurtherTable => ({
  title: 'Connections of the whole run, in no latency',
  head: ['', 'count', 'mean ms', 'p50', 'p95', 'p99', 'max ms'],
  rows: transportRows(transport),
});

/** Those that this run has. */
export const furtherTables = (result: RunResult): readonly FurtherTable[] =>
  [connectionsOf, stagesOf, checksOf, countersOf, trendsOf]
    .map((of) => of(result))
    .filter(({ rows }) => rows.length > 0);
