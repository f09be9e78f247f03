/**
 * Figures and tables of the report in words.
 * @module
 */
import { samplesMin } from '../measures/criteria.ts';
import type { EndpointResult, WindowResult } from '../results/window-result.ts';

/**
 * Formats by their digits, made once: a report with hundreds of endpoints writes thousands of
 * numbers.
 */
const formats = new Map<number, Intl.NumberFormat>();

/** A number with thousands separated. */
export const number = (value: number, digits = 0): string => {
  const format =
    formats.get(digits) ??
    new Intl.NumberFormat('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  formats.set(digits, format);
  return format.format(value);
};

/** Milliseconds; one digit more when there are few. */
export const ms = (value: number | undefined): string =>
  value === undefined ? '–' : value < 100 ? number(value, 1) : number(value);

/** A cell holds text of a target, which must end neither its cell nor its row, and be no markup. */
const cellOf = (content: string | number): string =>
  String(content).replace(/\r?\n/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');

/** A Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.map(cellOf).join(' | ')} |`),
  ].join('\n');

/** A share in words. */
export const percent = (part: number, all: number): string =>
  all === 0 ? '–' : `${((100 * part) / all).toFixed(2)} %`;

/** The share of requests that succeeded. */
export const successLine = (window: WindowResult): string =>
  window.total.requests === 0
    ? 'No request was answered or given up.'
    : `Success ${window.success_percent_with_expected.toFixed(3)} % with the expected refusals counted as right answers, ${window.success_percent_without_expected.toFixed(3)} % without counting them at all.`;

/** A percentile, with a mark when there are too few samples for it to mean something. */
export const percentile = ({ percentiles_ms, requests }: EndpointResult, at: keyof typeof samplesMin): string => {
  const value = percentiles_ms[String(at)];
  return value !== undefined && requests < samplesMin[at] ? `${ms(value)} *` : ms(value);
};
