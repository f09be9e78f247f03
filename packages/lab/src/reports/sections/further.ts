/**
 * Sections that only some runs have: connections, stages, and the checks and metrics of a custom
 * scenario.
 * @module
 */
import type { RunResult } from '../../results/result.ts';
import { type Cell, type SectionMaker, tableOf } from '../section.ts';
import { number } from '../tables.ts';
import { transportRows } from '../transport-words.ts';

interface Further {
  readonly id: string;
  readonly title: string;
  readonly head: readonly string[];
  readonly rowsOf: (result: RunResult) => readonly (readonly Cell[])[];
}

const stageRows = ({ options }: RunResult): readonly (readonly string[])[] => {
  let fromSeconds = 0;
  return options.stages.map(({ duration_s: seconds, users, spawn_rate: spawnRate, rate_per_second: rate }) => {
    const from = fromSeconds;
    fromSeconds += seconds;
    return [
      number(from),
      number(fromSeconds),
      users === null ? '–' : number(users),
      users === null ? '–' : number(spawnRate ?? options.spawn_rate, 1),
      rate === null ? '–' : number(rate, 1),
    ];
  });
};

const trendRows = ({ own }: RunResult): readonly (readonly string[])[] =>
  (own?.trends ?? []).map(({ name, count, mean, min, max, percentiles }) => {
    const at = (percentile: string): number | undefined => percentiles[percentile];
    const figures = [mean, at('50'), at('95'), at('99'), min, max];
    return [
      name,
      number(count),
      ...figures.map((figure) => (figure === undefined || count === 0 ? '–' : number(figure, 2))),
    ];
  });

const checkRows = ({ own }: RunResult): readonly (readonly Cell[])[] =>
  (own?.checks ?? []).map(({ name, passed, failed }) => [
    name,
    number(passed),
    number(failed),
    failed > 0 ? { text: 'failed', tone: 'bad' } : passed > 0 ? 'held' : 'never ran',
  ]);

const all: readonly Further[] = [
  {
    id: 'connections',
    title: 'Connections of the whole run, in no latency',
    head: ['', 'count', 'mean ms', 'p50', 'p95', 'p99', 'max ms'],
    rowsOf: ({ transport }) => transportRows(transport),
  },
  {
    id: 'stages',
    title: 'Stages',
    head: ['from s', 'to s', 'users', 'started or sent away a second', 'starts a second'],
    rowsOf: stageRows,
  },
  { id: 'checks', title: 'Checks of the scenario', head: ['check', 'held', 'failed', ''], rowsOf: checkRows },
  {
    id: 'counters',
    title: 'Counters of the scenario',
    head: ['counter', 'sum'],
    rowsOf: ({ own }) =>
      Object.entries(own?.counters ?? {}).map(([name, sum]) => [name, number(sum, Number.isInteger(sum) ? 0 : 2)]),
  },
  {
    id: 'measures',
    title: 'Measures of the scenario',
    head: ['measure', 'values', 'mean', 'p50', 'p95', 'p99', 'least', 'most'],
    rowsOf: trendRows,
  },
];

/** The further sections that this run has. */
export const furtherSections: SectionMaker = (result) =>
  all.flatMap(({ id, title, head, rowsOf }) => {
    const rows = rowsOf(result);
    return rows.length === 0 ? [] : [{ id, title, parts: [tableOf('', head, rows)] }];
  });
