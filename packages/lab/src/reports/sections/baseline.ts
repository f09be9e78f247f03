/**
 * Earlier figures beside those of this run, where a baseline was given.
 * @module
 */
import type { BaselineRun } from '../../results/baseline.ts';
import type { WindowResult } from '../../results/window-result.ts';
import { type SectionMaker, tableOf } from '../section.ts';
import { ms, number, percent, percentile } from '../tables.ts';

const windowRow = (name: string, { total }: WindowResult): readonly string[] => [
  name,
  number(total.requests),
  number(total.requests_per_second),
  percent(total.real, total.requests),
  percent(total.expected, total.requests),
  percentile(total, 50),
  percentile(total, 95),
  percentile(total, 99),
];

const figure = (value: number | undefined, show: (value: number) => string): string =>
  value === undefined ? '–' : show(value);

const share = (value: number): string => `${value} %`;

const runRow = (run: BaselineRun): readonly string[] => [
  run.name,
  figure(run.requests, number),
  figure(run.requests_per_second, number),
  figure(run.failed_percent, share),
  figure(run.expected_percent, share),
  ms(run.p50_ms),
  ms(run.p95_ms),
  ms(run.p99_ms),
];

/** The baseline's runs under those of this one. */
export const baselineSection: SectionMaker = ({ baseline, whole, steady }) => {
  if (baseline === undefined) return [];
  const rows = [
    windowRow('this run, whole', whole),
    ...(steady === null ? [] : [windowRow(`this run, steady window (from ${number(steady.from_s)} s)`, steady)]),
    ...baseline.runs.map(runRow),
  ];
  const head = ['run', 'requests', 'req/s', 'failed', 'expected refusals', 'p50 ms', 'p95 ms', 'p99 ms'];
  return [
    { id: 'baseline', title: `Beside ${baseline.name}`, parts: [tableOf('', head, rows), ...(baseline.notes ?? [])] },
  ];
};
