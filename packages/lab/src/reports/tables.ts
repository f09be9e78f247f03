/**
 * Figures and tables of the report in words.
 * @module
 */

/** A number with thousands separated. */
export const number = (value: number, digits = 0): string =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** Milliseconds; one digit more when there are few. */
export const ms = (value: number | undefined): string =>
  value === undefined ? '–' : value < 100 ? number(value, 1) : number(value);

/** A Markdown table. */
export const table = (head: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ].join('\n');
