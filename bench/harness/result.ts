/**
 * The end of a bench: one JSON object that includes the machine and its conditions, a table for people, and an exit code.
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describeMachine } from '../../packages/lab/src/probes/machine.ts';
import { seed } from '../../tests/harness/seed.ts';
import type { Conditions } from './conditions.ts';

/** The findings of a bench. */
export interface Outcome {
  /** For programs. Names in camel case become `snake_case`, as in the results of the lab; others (`'sign-in, cached'`) stay. */
  readonly figures: object;
  /** For people, in Markdown. */
  readonly table?: string;
  /** Aims that were missed, as sentences. */
  readonly missed?: readonly string[];
  /** Of the part that counts; absent: of the whole run. */
  readonly conditions?: Conditions;
  /** File for the result where `--out` is not its name. */
  readonly file?: string;
}

/** How a run ended. */
export interface Ending extends Outcome {
  /** File of the bench. */
  readonly bench: string;
  readonly args: readonly string[];
  readonly conditions: Conditions;
  /** Whether figures taken beside busy strangers are no figures. */
  readonly isJudged: boolean;
}

/** Progress, on standard error. */
export const say = (text: string): boolean => process.stderr.write(`${text}\n`);

/** The machine that figures are from. */
export const machine = describeMachine();

const snakeCase = (name: string): string =>
  /^[a-z][a-z\d]*(?:[A-Z][a-z\d]*)+$/.test(name)
    ? name.replaceAll(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
    : name;

/** The same value with every camel-case name in snake case; maps become objects. */
const inSnakeCase = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(inSnakeCase);
  if (typeof value !== 'object' || value === null) return value;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return Object.fromEntries(entries.map(([name, each]) => [snakeCase(String(name)), inSnakeCase(each)]));
};

/** Writes a JSON file, and the folder it is in where that is missing. */
export const writeJson = (file: string, value: object): void => {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(inSnakeCase(value), null, 2)}\n`);
};

/** The question that a bench answers: the first sentence of its file. @param file its path */
export const questionOf = (file: string): string => {
  const head = /^\/\*\*\n(.*?)\*\//s.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const text = head.replaceAll(/^ \* ?/gm, '').replaceAll(/\s+/g, ' ');
  return /^.*?\?/.exec(text)?.[0] ?? text;
};

/** Head of a report in Markdown: the question, the command, the day and the machine. */
export const reportHead = (file: string, command: string, day = new Date().toISOString().slice(0, 10)): string => {
  const { cores, cpu, memoryGib, node } = machine;
  const where = `${cores} cores of ${cpu}, ${memoryGib} GiB, Node ${node}`;
  return `# ${questionOf(file)}\n\n\`npm run bench -- ${command}\`, ${day}; ${where}; generator and target share them.`;
};

const judgement = ({ isValid, strangersPercent }: Conditions): string =>
  isValid
    ? `valid: other processes had ${strangersPercent} % of the machine's CPU time\n`
    : `invalid: other processes had ${strangersPercent} % of the machine's CPU time, more than 10; stop them and measure again\n`;

/**
 * Writes the result, prints the table and says whether it counts. The exit code tells scripts: 0 fine, 2 an aim was missed, 3 invalid, as
 * those of the lab.
 */
export const finish = (ending: Ending): void => {
  const { bench, args, figures, table = '', missed = [], conditions, file, isJudged } = ending;
  // The report names the command without the file that it is written to.
  const asked = args.filter((word, index) => !word.startsWith('--out') && args[index - 1] !== '--out');
  const name = bench.replace(/^.*\/(.*)\.ts$/, '$1');
  const result = { bench: name, at: new Date().toISOString(), machine, seed, conditions, missed, ...figures };
  const text = `${table}\n${missed.map((sentence) => `missed: ${sentence}\n`).join('')}`;
  if (file === undefined) process.stdout.write(`${JSON.stringify(inSnakeCase(result), null, 2)}\n`);
  else if (!file.endsWith('.md')) writeJson(file, result);
  else {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    writeFileSync(file, `${reportHead(bench, [name, ...asked].join(' '))}\n\n${text}`);
  }
  process.stdout.write(`\n${text}`);
  if (isJudged) process.stdout.write(judgement(conditions));
  if (file !== undefined) process.stdout.write(`result: ${file}\n`);
  process.exitCode = isJudged && !conditions.isValid ? 3 : Math.min(2, missed.length * 2);
};
