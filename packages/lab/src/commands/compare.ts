/**
 * `catalytic-lab compare`: two results side by side.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { htmlReport } from '../reports/html/page.ts';
import { figuresOf, type Ratio, ratiosOf } from '../reports/page/run-data.js';
import { number } from '../reports/tables.ts';
import { exitCodes, type RunResult } from '../results/result.ts';
import { complain, say } from '../texts/say.ts';

/** Largest file that is read, bytes: a day of seconds is under 60 MB. */
const bytesMax = 256 * 2 ** 20;

/** Fields without which nothing of a result can be shown. */
const needed = [
  'options',
  'whole',
  'seconds',
  'history',
  'verdicts',
  'validity',
  'consistency',
  'criteria',
  'faults',
] as const;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Fields that results of earlier versions lack. */
const laterFields = { lab_version: 'unknown', server: null, counted: [], transport: null } as const;

/**
 * Reads a result.
 * @returns it, or why it cannot be read
 */
export const readResult = (file: string): RunResult | string => {
  let parsed: unknown;
  try {
    const bytes = readFileSync(file);
    if (bytes.length > bytesMax) return `Cannot compare ${file}: it is larger than ${bytesMax} bytes`;
    parsed = JSON.parse(bytes.toString());
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is no JSON' : (error as NodeJS.ErrnoException).code;
    return `Cannot read ${file}: ${reason}; give the PREFIX.json of a run`;
  }
  if (!isRecord(parsed) || parsed['format'] !== 'catalytic-lab/1')
    return `Cannot compare ${file}: it is no result in the format catalytic-lab/1`;
  const missing = needed.filter((field) => !isRecord((parsed as Readonly<Record<string, unknown>>)[field]));
  if (missing.length > 0) return `Cannot compare ${file}: it lacks ${missing.join(', ')}; run the lab again`;
  // The schema is that of the format, which the file says it has.
  return { ...laterFields, ...parsed } as unknown as RunResult;
};

/** Reasons why a run is hard to compare with any other. */
const doubts = ({ exit_code, ended }: RunResult): readonly string[] => [
  ...(exit_code === exitCodes.invalid ? ['is invalid: its figures may not be believed'] : []),
  ...(exit_code === exitCodes.notJudged ? ['was not judged: not every criterion had what it needs'] : []),
  ...(ended === 'aborted' ? ['was ended early by --abort-when: it is shorter than it was asked to be'] : []),
];

/** Reasons why two runs are hard to compare, a sentence each. */
const differences = (a: RunResult, b: RunResult): readonly string[] => [
  ...(a.scenario === b.scenario ? [] : [`The scenarios differ: ${a.scenario} and ${b.scenario}`]),
  ...(a.options.users === b.options.users ? [] : [`The users differ: ${a.options.users} and ${b.options.users}`]),
  ...(a.schedule_fingerprint === b.schedule_fingerprint
    ? []
    : ['The schedules differ: give both runs the same --seed']),
  ...(a.machine.cpu === b.machine.cpu && a.machine.cores === b.machine.cores ? [] : ['The machines differ']),
  ...[a, b].flatMap((run, index) => doubts(run).map((doubt) => `The ${index === 0 ? 'first' : 'second'} run ${doubt}`)),
];

const valueText = (value: number | null): string =>
  value === null ? '–' : number(value, Math.abs(value) < 100 ? 2 : 0);

const ratioLine = ({ name, value, other, ratio, trend }: Ratio): string =>
  `  ${name.padEnd(38)} ${valueText(value).padStart(12)} ${valueText(other).padStart(12)}  ${
    ratio === null ? '–'.padStart(8) : `× ${ratio.toFixed(2)}`.padStart(8)
  }  ${trend === 'even' ? '' : `first is ${trend}`}`.trimEnd();

/**
 * Compares two results, and writes the first as a page with the second laid over it.
 * @returns the lines to print, or why there are none
 */
export const compareResults = (
  first: string,
  second: string,
  htmlFile: string | undefined,
): readonly string[] | string => {
  const [a, b] = [readResult(first), readResult(second)];
  if (typeof a === 'string') return a;
  if (typeof b === 'string') return b;
  if (htmlFile !== undefined)
    try {
      writeFileSync(htmlFile, htmlReport(a, b));
    } catch (error) {
      return `Cannot write ${htmlFile}: ${(error as NodeJS.ErrnoException).code ?? String(error)}`;
    }
  return [
    `  first   ${first}: ${a.scenario}, ${a.options.users} users, ${a.started_at}`,
    `  second  ${second}: ${b.scenario}, ${b.options.users} users, ${b.started_at}`,
    ...differences(a, b).map((text) => `  ! ${text}`),
    '',
    `  ${'judged windows'.padEnd(38)} ${'first'.padStart(12)} ${'second'.padStart(12)}  ${'ratio'.padStart(8)}`,
    ...ratiosOf(figuresOf(a), figuresOf(b)).map(ratioLine),
    '',
    '  Under 5 % apart is called neither. One pair of runs proves no smaller difference than their own scatter.',
    ...(htmlFile === undefined ? [] : ['', `  ${htmlFile}`]),
  ];
};

/** The command. */
export const compareCommand = (): Command =>
  new Command('compare')
    .description('Put two results side by side: ratios here, and with --html one page with both in its charts.')
    .argument('<a.json>', 'result of a run')
    .argument('<b.json>', 'result of the run it is compared with')
    .option('--html <file>', 'the report of the first, with the second laid over it')
    .action((first: string, second: string, { html }: { readonly html?: string }) => {
      const lines = compareResults(first, second, html);
      if (typeof lines === 'string') {
        complain(lines);
        process.exitCode = exitCodes.usage;
      } else for (const line of lines) say(line);
    });
