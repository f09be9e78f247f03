/**
 * Arithmetic on samples, and tables of figures.
 * @module
 */

/** A figure with few digits. */
export const round = (figure: number, digits = 1): number => Number(figure.toFixed(digits));

/** The middle of some figures; 0 of none. */
export const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0;

/** Mean; 0 of none. */
export const mean = (figures: readonly number[]): number =>
  figures.length === 0 ? 0 : figures.reduce((sum, figure) => sum + figure, 0) / figures.length;

/** The figure below which this share of all lies (nearest rank); 0 of none. @param share between 0 and 1 */
export const percentile = (figures: readonly number[], share: number): number => {
  const sorted = figures.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
};

/** Fewest samples of which a 99th percentile is more than chance. */
const samplesMinForP99 = 1000;

/** Latencies in short, milliseconds. */
export interface Latencies {
  readonly samples: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly max_ms: number;
  /** Whether there are enough samples for the 99th percentile. */
  readonly isP99Judged: boolean;
}

/** Sums latencies up. */
export const latencies = (samplesMs: readonly number[]): Latencies => ({
  samples: samplesMs.length,
  p50_ms: round(percentile(samplesMs, 0.5), 2),
  p99_ms: round(percentile(samplesMs, 0.99), 2),
  max_ms: round(percentile(samplesMs, 1), 2),
  isP99Judged: samplesMs.length >= samplesMinForP99,
});

/** A straight line through points. */
export interface Line {
  readonly slope: number;
  /** Standard error of the slope. It takes the points for independent: give means over stretches, not every reading. */
  readonly slopeError: number;
  readonly atZero: number;
}

/** Least squares. `undefined` of fewer than three points, which no error can be told of. */
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

/** How often each value is there, in ascending order. */
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
