/**
 * Arithmetic on samples, and tables of figures.
 * @module
 */

import { Histogram } from '../../packages/lab/src/statistics/histogram.ts';

/** A figure with few digits. */
export const round = (figure: number, digits = 1): number => Number(figure.toFixed(digits));

/** The middle of some figures; 0 of none. */
export const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;

/** Mean; 0 of none. */
export const mean = (figures: readonly number[]): number =>
  figures.length === 0 ? 0 : figures.reduce((sum, figure) => sum + figure, 0) / figures.length;

/** Fewest samples of which a 99th percentile is more than chance. */
const samplesMinForP99 = 1000;

/** Latencies in short, milliseconds; percentiles have three significant digits. */
export interface Latencies {
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Whether there are enough samples for the 99th percentile. */
  readonly isP99Judged: boolean;
}

/** Sums latencies up; 0 of none. */
export const latencies = (samplesMs: readonly number[]): Latencies => {
  const histogram = new Histogram();
  for (const ms of samplesMs) histogram.record(ms);
  const at = (percentile: number): number => round(histogram.at(percentile) ?? 0, 2);
  return {
    samples: histogram.count,
    p50Ms: at(50),
    p99Ms: at(99),
    maxMs: at(100),
    isP99Judged: histogram.count >= samplesMinForP99,
  };
};

/** The largest; 0 of none. */
export const largest = (figures: readonly number[]): number => figures.reduce((max, each) => Math.max(max, each), 0);

/** A straight line through points. */
export interface Line {
  readonly slope: number;
  /** Standard error of the slope. It takes the points for independent: give means over stretches, not every reading. */
  readonly slopeError: number;
  readonly atZero: number;
}

/** Least squares. `undefined` of fewer than three points: they do not tell an error. */
export const fitLine = (points: readonly (readonly [x: number, y: number])[]): Line | undefined => {
  if (points.length < 3) return undefined;
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const spreadX = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  if (spreadX === 0) return undefined;
  const slope = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0) / spreadX;
  const atZero = meanY - slope * meanX;
  const residual = points.reduce((sum, [x, y]) => sum + (y - atZero - slope * x) ** 2, 0);
  return { slope, slopeError: Math.sqrt(residual / (points.length - 2) / spreadX), atZero };
};

/** How often each value occurs, in ascending order. */
export const tally = (values: readonly number[]): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {};
  for (const value of values.toSorted((a, b) => a - b)) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

type Cell = string | number | null | undefined;

/** A Markdown table, aligned so that it reads in a terminal as well. The first column holds names, the others figures. */
export const table = (head: readonly string[], rows: readonly (readonly Cell[])[]): string => {
  const cells = [head, ...rows.map((row) => row.map((cell) => String(cell ?? '–')))];
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return `${[line(cells[0] ?? []), rule, ...cells.slice(1).map(line)].join('\n')}\n`;
};
