/**
 * Locust's four CSV files, with its exact columns and ways of writing figures (Locust 2.47), so
 * that tools made for Locust read our runs.
 *
 * "Failures" are real failures only: an expected refusal is a right answer. Percentiles of a
 * history row cover the last ten seconds. They are whole milliseconds, except where rounding would
 * leave the measured range: then they are written unrounded.
 * @module
 */

import type { HistoryRow, RunResult } from '../results/result.ts';
import type { EndpointResult, PercentilesMs } from '../results/window-result.ts';
import { percentiles } from '../statistics/histogram.ts';
import { isoTime } from '../texts/iso-time.ts';
import { printableLines } from '../texts/printable.ts';

const percentileHeaders = percentiles.map((percentile) => `${percentile}%`);

/** Header rows, as Locust writes them. */
export const headers = {
  stats: [
    'Type',
    'Name',
    'Request Count',
    'Failure Count',
    'Median Response Time',
    'Average Response Time',
    'Min Response Time',
    'Max Response Time',
    'Average Content Size',
    'Requests/s',
    'Failures/s',
    ...percentileHeaders,
  ],
  history: [
    'Timestamp',
    'User Count',
    'Type',
    'Name',
    'Requests/s',
    'Failures/s',
    ...percentileHeaders,
    'Total Request Count',
    'Total Failure Count',
    'Total Median Response Time',
    'Total Average Response Time',
    'Total Min Response Time',
    'Total Max Response Time',
    'Total Average Content Size',
  ],
  failures: ['Method', 'Name', 'Error', 'Occurrences', 'First Seen', 'Last Seen'],
  exceptions: ['Count', 'Message', 'Traceback', 'Nodes'],
} as const;

/** Locust's name for the one process of a run that is not distributed. */
const nodeName = 'local';

type Cell = string | number;

/**
 * Text of a target or a scenario as a cell. A spreadsheet runs a cell that begins like a formula.
 * An apostrophe before it makes it text again; other tools see one more character in a name that no
 * ordinary service has.
 */
const textCell = (text: string): string => printableLines(text).replace(/^[=+\-@]/, "'$&");

/** RFC 4180: fields with commas, quotes or line ends are quoted; lines end with CRLF. */
const line = (cells: readonly Cell[]): string =>
  `${cells.map((cell) => (/[",\r\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(',')}\r\n`;

/** Shortest and longest latency of a row, milliseconds. */
interface Range {
  readonly min: number;
  readonly max: number;
}

/** Whole milliseconds, unless nothing that was measured was so short or so long. */
const wholeWithin = (value: number, { min, max }: Range): number => {
  const whole = Math.round(value);
  return whole < min || whole > max ? value : whole;
};

const percentileCells = (values: PercentilesMs, range: Range): readonly Cell[] =>
  percentiles.map((percentile) => {
    const value = values[String(percentile)];
    return value === undefined ? 'N/A' : wholeWithin(value, range);
  });

/**
 * Python writes a whole float with `.0`: a tool that derives the type of a column from its first
 * row must find a float there.
 */
const float = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

/** Rates of the history have six decimals. */
const rate = (value: number): string => value.toFixed(6);

/** RFC 3339 in whole seconds, as Locust dates failures. */
const dated = (unixSeconds: number): string => isoTime(unixSeconds * 1000).replace(/\.\d+Z$/, 'Z');

const statsRow = (type: string, name: string, endpoint: EndpointResult): string => {
  const range = { min: endpoint.min_ms, max: endpoint.max_ms };
  return line([
    textCell(type),
    textCell(name),
    endpoint.requests,
    endpoint.real,
    wholeWithin(endpoint.percentiles_ms['50'] ?? 0, range),
    float(endpoint.mean_ms),
    float(endpoint.min_ms),
    float(endpoint.max_ms),
    float(endpoint.mean_bytes),
    float(endpoint.requests_per_second),
    float(endpoint.requests === 0 ? 0 : (endpoint.requests_per_second * endpoint.real) / endpoint.requests),
    ...percentileCells(endpoint.percentiles_ms, range),
  ]);
};

const historyRow = (row: HistoryRow): string => {
  const total = { min: row.total_min_ms, max: row.total_max_ms };
  // Results of earlier versions know the shortest latency of the whole run only.
  const recent = { min: row.min_ms ?? total.min, max: row.percentiles_ms['100'] ?? total.max };
  return line([
    row.unix_s,
    row.users,
    '',
    'Aggregated',
    rate(row.requests_per_second),
    rate(row.failures_per_second),
    ...percentileCells(row.percentiles_ms, recent),
    row.total_requests,
    row.total_failures,
    wholeWithin(row.total_median_ms, total),
    float(row.total_mean_ms),
    float(row.total_min_ms),
    float(row.total_max_ms),
    float(row.total_mean_bytes),
  ]);
};

/** The four files of a result, by the end of their names. */
export const csvFiles = (result: RunResult): Readonly<Record<string, string>> => ({
  _stats: [
    line(headers.stats),
    ...result.whole.endpoints.map((endpoint) => statsRow(endpoint.method, endpoint.name, endpoint)),
    statsRow('', 'Aggregated', result.whole.total),
  ].join(''),
  _stats_history: [line(headers.history), ...result.history.map(historyRow)].join(''),
  _failures: [
    line(headers.failures),
    ...result.errors
      .filter(({ kind }) => kind === 'real')
      .map((error) =>
        line([
          textCell(error.method),
          textCell(error.endpoint),
          textCell(error.error),
          error.occurrences,
          dated(error.first_seen_unix_s),
          dated(error.last_seen_unix_s),
        ]),
      ),
  ].join(''),
  _exceptions: [
    line(headers.exceptions),
    ...result.exceptions.map(({ count, message, traceback }) =>
      line([count, textCell(message), textCell(traceback), nodeName]),
    ),
  ].join(''),
});
