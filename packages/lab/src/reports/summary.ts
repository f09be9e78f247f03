/**
 * The summary that a run prints at its end.
 * @module
 */

import type { CustomResult } from '../results/custom-result.ts';
import type { RunResult } from '../results/result.ts';
import { exceptionsRule } from '../results/verdict.ts';
import type { TimesResult, WindowResult } from '../results/window-result.ts';
import { mapTexts, printable } from '../texts/printable.ts';
import { endingOf } from './ending.ts';
import { firstException } from './exception-text.ts';
import { judgedWindow } from './judged-window.ts';
import { transportLines } from './transport-words.ts';
import { brokenRuleOf, limitOf, measuredOf, notJudgedOf, unjudgedFailuresOf } from './verdict-texts.ts';

const ms = (value: number | undefined): string =>
  value === undefined ? '–' : value < 100 ? value.toFixed(1) : value.toFixed(0);

const windowLine = (name: string, { total }: WindowResult): string =>
  `  ${name.padEnd(14)} ${String(total.requests).padStart(8)} requests ${total.requests_per_second.toFixed(0).padStart(6)}/s   ` +
  `p50 ${ms(total.percentiles_ms['50'])}  p95 ${ms(total.percentiles_ms['95'])}  p99 ${ms(total.percentiles_ms['99'])} ms   ` +
  `ok ${total.ok}  expected ${total.expected}  real failures ${total.real}`;

/** Failures apart from answers: they are often much faster, or as slow as the timeout. */
const outcomeLines = (name: string, { total }: WindowResult): readonly string[] =>
  total.real === 0 || total.real_ms === undefined
    ? []
    : [
        ...(total.ok_ms === undefined ? [] : [timesLine(`${name}, ok`, total.ok_ms)]),
        timesLine(`${name}, real failures`, total.real_ms),
      ];

/** Kinds of real failures that are listed; the report has all of them. */
const realFailuresMax = 5;

const marks = { passed: '✔', kept: '✔', failed: '✘', broken: '✘', 'not judged': '–' } as const;

const timesLine = (name: string, { count, percentiles_ms, max_ms }: TimesResult): string =>
  `  ${name}: p50 ${ms(percentiles_ms['50'])}  p99 ${ms(percentiles_ms['99'])}  max ${ms(max_ms)} ms  (${count} samples)`;

const revocationLines = ({ revocation }: RunResult): readonly string[] =>
  revocation === null
    ? []
    : [
        `  asked about every dead token: ${revocation.asked === 'workers' ? `${revocation.workers.length} ${revocation.workers.length === 1 ? 'worker' : 'workers'}` : 'fresh connections, the target does not name its workers'}`,
        timesLine('logout', revocation.logout),
        timesLine('logout answered until refused everywhere', revocation.rejection),
        timesLine('logout sent until the slowest worker refused', revocation.propagation),
      ];

const guardLines = ({ guards }: RunResult): readonly string[] =>
  (guards?.apis ?? []).flatMap(({ url, mode, dead, violations, live, first_refusal }) => [
    `  ${violations + live.refused === 0 ? '✔' : '✘'} ${mode} guard ${url}: ${dead.tried} requests with a dead token, ${dead.accepted} accepted (${violations} against the promise), ${dead.refused} refused, ${dead.unavailable} answered 503; ${live.tried} with a live one, ${live.refused} refused`,
    timesLine('logout answered until the guard refused', first_refusal),
  ]);

const outageLines = ({ outage }: RunResult): readonly string[] => {
  if (outage === null) return [];
  const columns = Math.max(...outage.phases.map(({ name }) => name.length));
  return [
    '',
    ...outage.phases.map(({ name, window: { total }, logouts }) => {
      const { requests, ok, expected, real, percentiles_ms: at } = total;
      return `  ${name.padEnd(columns)} ${String(requests).padStart(7)} requests   ok ${ok}  expected ${expected}  real failures ${real}   p99 ${ms(at['99'])} ms   logouts 200/202: ${logouts.completed}/${logouts.pending}`;
    }),
    ...outage.recoveries.map(({ name, failures, failures_end_ms, logouts_usual_ms, not_judged, healed_s }) =>
      healed_s === null
        ? `  ${name}: not healed before the end`
        : `  healed after ${name}: ${failures === 0 ? 'no failure' : `last failure after ${ms(failures_end_ms ?? undefined)} ms`}, logouts as usual ${not_judged === null ? `after ${ms(logouts_usual_ms ?? undefined)} ms` : `not judged: ${not_judged}`}`,
    ),
  ];
};

/** A line for each check, counter and trend of a custom scenario. */
const customLines = (custom: CustomResult | null): readonly string[] => {
  if (custom === null) return [];
  return [
    ...custom.checks.map(({ name, passed, failed }) =>
      passed + failed === 0
        ? `  – check "${name}" never ran`
        : `  ${failed === 0 ? '✔' : '✘'} check "${name}": held ${passed} times, failed ${failed} times`,
    ),
    // A sum of fractions: 0.1 and 0.2 are 0.3 to a reader.
    ...Object.entries(custom.counters).map(([name, sum]) => `  ${name}: ${Number(sum.toPrecision(12))}`),
    ...custom.trends.map(
      ({ name, count, percentiles }) =>
        `  ${name}: p50 ${percentiles['50'] ?? '–'}  p95 ${percentiles['95'] ?? '–'}  p99 ${percentiles['99'] ?? '–'}  (${count} values)`,
    ),
  ];
};

const failuresLines = (result: RunResult): readonly string[] => {
  const unjudged = unjudgedFailuresOf(result);
  return unjudged === undefined ? [] : [`  – ${unjudged}`];
};

const validityLines = (result: RunResult): readonly string[] => {
  const broken = result.validity.filter(({ verdict }) => verdict === 'broken');
  if (broken.length === 0) return [];
  return [
    ...broken.map(
      (check) =>
        `  ✘ validity: ${brokenRuleOf(check)}${check.rule === exceptionsRule ? `: ${firstException(result)}` : ''}`,
    ),
    '  The report is written all the same.',
  ];
};

/** The lines. Each is one line, whatever the target has said. */
export const summaryLines = (measured: RunResult, files: readonly string[]): readonly string[] =>
  linesOf(mapTexts(measured, printable), files);

const linesOf = (result: RunResult, files: readonly string[]): readonly string[] => [
  '',
  windowLine('whole run', result.whole),
  result.steady === null
    ? '  steady window  not reached: some users never logged in'
    : windowLine('steady window', result.steady),
  ...outcomeLines(result.judged === 'steady' ? 'steady window' : 'whole run', judgedWindow(result)),
  ...transportLines(result.transport),
  ...outageLines(result),
  '',
  result.outage === null
    ? `  judged over the ${result.judged === 'steady' ? 'steady window' : 'whole run'}:`
    : '  judged phase by phase:',
  ...(result.verdicts.length === 0 ? [`  – ${notJudgedOf(result)}`] : []),
  ...result.verdicts.map(
    (each) =>
      `  ${marks[each.verdict]} ${each.criterion}: ${each.measured === null ? `not judged: ${measuredOf(each)}` : `${each.measured.toFixed(2)} (${limitOf(each)})`}`,
  ),
  ...(result.aborted_by === undefined ? [] : [`  ended early by --abort-when: ${result.aborted_by} was beyond saving`]),
  ...failuresLines(result),
  ...validityLines(result),
  `  ${result.consistency.violations === 0 ? '✔' : '✘'} consistency: ${result.consistency.dead_checks} requests with a dead token, ${result.consistency.rotations} rotations, ${result.consistency.violations} violations`,
  ...revocationLines(result),
  ...guardLines(result),
  ...customLines(result.own),
  ...result.errors
    .filter(({ kind }) => kind === 'real')
    .slice(0, realFailuresMax)
    .map(
      ({ method, endpoint, error, occurrences }) =>
        `  real failure: ${method} ${endpoint}: ${error}, ${occurrences} times`,
    ),
  ...result.consistency.timelines
    .slice(0, 3)
    .flatMap(({ token, rule, events }) => [
      `    token ${token}, ${rule}:`,
      ...events.map(
        ({ at_ms, what, worker = '' }) => `      ${at_ms.toFixed(1).padStart(12)} ms  ${`${what}  ${worker}`.trim()}`,
      ),
    ]),
  '',
  `  ${endingOf(result).toUpperCase()}  (exit code ${result.exit_code})`,
  '',
  ...files.map((file) => `  ${file}`),
];
