/**
 * A file of criteria that a run must meet, under version control beside the code that it judges.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Criterion } from '../measures/criterion.ts';
import { type Place, RefusedCriterion, readCriteria } from '../measures/read-criteria.ts';
import { jsonFault, placeAt } from './json-place.ts';

/** Where a key stands: each key of its place is looked for behind the one before. */
const placeOf = (text: string, place: Place): string => {
  let offset = 0;
  for (const key of place) {
    const found = text.indexOf(JSON.stringify(key), offset);
    if (found >= 0) offset = found;
  }
  const { line, column } = placeAt(text, offset);
  return `${line}:${column}`;
};

const parse = (text: string, file: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    const { line, column } = jsonFault(text) ?? { line: 1, column: 1 };
    throw new Error(`${file}:${line}:${column}: it is no JSON from here on: ${(error as Error).message}`);
  }
};

/**
 * Reads criteria: `{ "p50": 20, "failures": 0.1, "endpoints": { "GET /items": { "p95": 100 } } }`,
 * latencies in milliseconds, failures in per cent.
 * @param file its name, for a refusal
 * @param check judges the criteria. @throws RefusedCriterion
 * @throws Error that says what is wrong, where, and what is allowed
 */
export const parseCriteria = (
  text: string,
  file: string,
  check: (criteria: readonly Criterion[]) => void = () => {},
): readonly Criterion[] => {
  const parsed = parse(text, file);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Error(`${file}: it holds no object, such as { "p95": 150, "failures": 0.1 }`);
  try {
    const criteria = readCriteria(parsed, 'short');
    check(criteria);
    return criteria;
  } catch (error) {
    if (!(error instanceof RefusedCriterion)) throw error;
    throw new Error(`${file}:${placeOf(text, error.place)}: ${error.message}`);
  }
};

/** Reads a file of criteria. @see parseCriteria */
export const readCriteriaFile = (
  file: string,
  check?: (criteria: readonly Criterion[]) => void,
): readonly Criterion[] => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`--criteria ${file}: cannot read it: ${code ?? message}`);
  }
  return parseCriteria(text, `--criteria ${file}`, check);
};
