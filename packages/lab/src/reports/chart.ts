/**
 * A run in block characters: requests, failures and p99 second by second, with the outages as bands
 * below.
 * @module
 */
import type { OutageResult } from '../results/outage-result.ts';
import type { SecondResult } from '../results/result.ts';
import { number } from './tables.ts';

/**
 * Most seconds side by side; longer runs show several seconds in a column. With names and scale a
 * line stays within 100 columns.
 */
const columnsMax = 75;
const nameColumns = 11;
const blocks = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;
/** Marks of the outages, in order; there are fewer in any run that can be read. */
const marks = '123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** One column: blank for nothing. */
const blockOf = (value: number | null, most: number): string =>
  value === null || value <= 0 || most <= 0 ? ' ' : (blocks[Math.ceil((value / most) * 8)] ?? '█');
/** Shorter latencies are drawn as this, milliseconds: a second with requests is never blank. */
const latencyMsMin = 0.001;

const inColumns = <T>(values: readonly T[], perColumn: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(values.length / perColumn) }, (_, column) =>
    values.slice(column * perColumn, (column + 1) * perColumn),
  );

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const largest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
};

const line = (name: string, bar: string, scale: string): string => `${name.padEnd(nameColumns)}${bar}  ${scale}`;

const measureLine = (name: string, values: readonly (number | null)[]): string => {
  const most = largest(values) ?? 0;
  return line(name, values.map((value) => blockOf(value, most)).join(''), `max ${number(most)}`);
};

/** Draws the chart, without a fence. Columns are means of the rates, and the largest p99. */
export const outageChart = (seconds: readonly SecondResult[], { phases }: OutageResult): string => {
  const perColumn = Math.max(1, Math.ceil(seconds.length / columnsMax));
  const columns = inColumns(seconds, perColumn);
  const outages = phases.filter(({ kind }) => kind === 'outage');
  const bands = columns.map((_, column) => {
    const [from, to] = [column * perColumn, (column + 1) * perColumn];
    const index = outages.findIndex(({ window }) => window.from_s < to && window.to_s > from);
    return index === -1 ? ' ' : (marks[index] ?? '*');
  });
  return [
    measureLine(
      'requests/s',
      columns.map((column) => mean(column.map(({ requests }) => requests))),
    ),
    measureLine(
      'failures/s',
      columns.map((column) => mean(column.map(({ real }) => real))),
    ),
    measureLine(
      'p99, ms',
      columns.map((column) =>
        largest(column.map(({ p99_ms }) => (p99_ms === null ? null : Math.max(latencyMsMin, p99_ms)))),
      ),
    ),
    line('outages', bands.join(''), perColumn === 1 ? '1 s each' : `${perColumn} s each`),
    ...outages.map(
      ({ name, window }, index) =>
        `${' '.repeat(nameColumns)}${marks[index] ?? '*'} ${name}, ${number(window.from_s, 1)} to ${number(window.to_s, 1)} s`,
    ),
  ].join('\n');
};
