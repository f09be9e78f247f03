/**
 * Reads earlier figures that a run, or an experiment, is set beside.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Baseline, BaselineRun } from '../results/baseline.ts';

const format = 'catalytic-lab-baseline/1';
/** Largest file that is read, bytes: a hundred runs take a tenth of it. */
const bytesMax = 1 << 20;
const runsMax = 100;
const notesMax = 20;
const nameCharsMax = 200;
const noteCharsMax = 1000;

const counts: readonly string[] = ['users', 'requests', 'requests_per_second', 'p50_ms', 'p95_ms', 'p99_ms'];
const percents: readonly string[] = ['failed_percent', 'expected_percent'];

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isText = (value: unknown, charsMax: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= charsMax;

const refuse = (reason: string): never => {
  throw new Error(reason);
};

const checkFigure = (where: string, key: string, value: unknown): void => {
  const isPercent = percents.includes(key);
  if (!isPercent && !counts.includes(key))
    refuse(`${where} has a field "${key}"; there are name, id, ${[...counts, ...percents].join(', ')}`);
  const isAllowed = typeof value === 'number' && value >= 0 && (isPercent ? value <= 100 : Number.isFinite(value));
  if (!isAllowed)
    refuse(
      `"${key}" of ${where} must be a number ${isPercent ? 'from 0 to 100' : 'of 0 or more'}; leave it out if it is not known`,
    );
};

const runOf = (value: unknown, index: number): BaselineRun => {
  const where = `run ${index + 1}`;
  if (!isObject(value)) return refuse(`${where} is no object, such as { "name": "before", "p95_ms": 120 }`);
  const { name, id, ...figures } = value;
  if (!isText(name, nameCharsMax)) return refuse(`${where} has no "name" of 1 to ${nameCharsMax} characters`);
  if (id !== undefined && !isText(id, nameCharsMax)) return refuse(`"id" of ${where} is no text`);
  for (const [key, figure] of Object.entries(figures)) checkFigure(where, key, figure);
  return { name, ...(id === undefined ? {} : { id }), ...figures };
};

const notesOf = (notes: unknown): readonly string[] => {
  if (notes === undefined) return [];
  const isList = Array.isArray(notes) && notes.length <= notesMax && notes.every((note) => isText(note, noteCharsMax));
  return isList
    ? (notes as readonly string[])
    : refuse(`"notes" must be a list of at most ${notesMax} texts of 1 to ${noteCharsMax} characters`);
};

/**
 * Checks a baseline.
 * @throws Error that says what is wrong with it and what is allowed
 */
export const parseBaseline = (text: string): Baseline => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('it is no JSON');
  }
  if (!isObject(value) || value['format'] !== format) return refuse(`its "format" must be "${format}"`);
  const { name, notes, runs, format: _, $schema: __, ...unknown } = value;
  const [other] = Object.keys(unknown);
  if (other !== undefined) return refuse(`it has a field "${other}"; there are format, name, notes and runs`);
  if (!isText(name, nameCharsMax)) return refuse(`it has no "name" of 1 to ${nameCharsMax} characters`);
  if (!Array.isArray(runs) || runs.length === 0 || runs.length > runsMax)
    return refuse(`"runs" must be a list of 1 to ${runsMax} runs`);
  return { format, name, notes: notesOf(notes), runs: runs.map(runOf) };
};

/**
 * Reads a baseline.
 * @throws Error that names the file, says what is wrong with it and what is allowed
 */
export const readBaseline = (file: string): Baseline => {
  const refused = (reason: string): Error =>
    new Error(`--baseline ${file}: ${reason}; packages/lab/examples/first-report.json is an example`);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`--baseline ${file}: cannot read it: ${(error as NodeJS.ErrnoException).code ?? String(error)}`);
  }
  if (text.length > bytesMax) throw refused(`it is larger than ${bytesMax} bytes`);
  try {
    return parseBaseline(text);
  } catch (error) {
    throw refused((error as Error).message);
  }
};
