/**
 * The results of the matrix as a report shows them: sums in a sentence, then a table in Markdown for each deployment.
 * @module
 */
import type { Cell } from './cell.ts';
import { moments as momentsOf } from './moments.ts';

const count = (value: number): string => value.toLocaleString('en');

const sums = (cells: readonly Cell[]): string => {
  const sum = (of: (cell: Cell) => number): number => cells.reduce((total, cell) => total + of(cell), 0);
  const requests = sum((cell) => cell.requests);
  const failed = sum((cell) => cell.failed_requests);
  return [
    `${count(sum((cell) => cell.rounds))} rounds in ${cells.length} cells: `,
    `${count(sum((cell) => cell.requests_with_dead_token))} requests with a token whose sign-out had been answered, `,
    ...(cells.some(({ guards }) => guards !== undefined)
      ? [`${count(sum((cell) => cell.requests_with_dead_token_at_guards ?? 0))} of them at guarded APIs, `]
      : []),
    `${count(sum((cell) => cell.violations))} accepted; ${count(sum((cell) => cell.live_refused))} live tokens refused; `,
    `${count(sum((cell) => cell.forgotten))} sign-outs forgotten; `,
    `${count(sum((cell) => cell.crashes))} processes died that nobody had killed.`,
    ...(requests === 0
      ? []
      : [
          ` ${count(failed)} of ${count(requests)} other requests failed (${((100 * failed) / requests).toFixed(3)} %).`,
        ]),
  ].join('');
};

/** "20 × 200; 94 / 248; 610 / 900": answers, the answer's time, and the time until a sign-out was fast again. */
const text = ({ answers, answer_ms, logout_back_ms }: Cell): string =>
  [
    Object.entries(answers)
      .map(([status, times]) => `${times} × ${status}`)
      .join(', '),
    ...[answer_ms, logout_back_ms].flatMap((spread) => (spread === null ? [] : `${spread.median} / ${spread.max}`)),
  ].join('; ');

const table = (cells: readonly Cell[]): string => {
  // Cells stand in the order in which they were played to their end.
  const moments = Object.keys(momentsOf).filter((name) => cells.some(({ moment }) => moment === name));
  const rows = [...Map.groupBy(cells, ({ fault }) => fault)].map(
    ([fault, own]) =>
      `| ${fault} | ${moments
        .map((moment) =>
          own
            .filter((cell) => cell.moment === moment)
            .map(text)
            .join(' '),
        )
        .join(' | ')} |`,
  );
  return [`| fault | ${moments.join(' | ')} |`, `|---|${'---|'.repeat(moments.length)}`, ...rows].join('\n');
};

/** The Markdown. */
export const tableOf = (cells: readonly Cell[]): string =>
  [
    ...Map.groupBy(cells, ({ machines, redis, namespaces, guards, lease_ms }) =>
      [
        `machines with ${machines.join(' and ')} workers`,
        redis ? 'Redis between them' : 'no Redis',
        ...(namespaces ? ['a network of its own for each'] : []),
        ...(guards === undefined ? [] : [`guards ${guards.join(', ')}`]),
        `a lease of ${lease_ms} ms`,
      ].join(', '),
    ),
  ]
    .map(([deployment, own]) => `## ${deployment}\n\n**${sums(own)}**\n\n${table(own)}\n`)
    .join('\n');
