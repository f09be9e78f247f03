/**
 * The counts that a score card consists of: how many of how many. Only counted things are scored.
 * @module
 */
import { readFileSync } from 'node:fs';
import { type Counted, countedNames } from '../results/counted.ts';

const fractionOf = (name: Counted['name'], done: number, all: number, what: string): Counted | string =>
  done >= 0 && all > 0 && done <= all
    ? { name, done, all, what }
    : `Give a fraction of something, such as ${name}=14/18.`;

const fromFile = (name: Counted['name'], file: string): Counted | string => {
  try {
    const { done, all, what } = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>;
    if (typeof done !== 'number' || typeof all !== 'number') return `${file} has no numbers "done" and "all".`;
    return fractionOf(name, done, all, typeof what === 'string' ? what : file);
  } catch (error) {
    return `Cannot read ${file}: ${error instanceof SyntaxError ? 'it is no JSON' : ((error as NodeJS.ErrnoException).code ?? 'unknown')}.`;
  }
};

/**
 * Parses `NAME=DONE/ALL` or `NAME=FILE`.
 * @returns the count, or the fault in words
 */
export const parseCounted = (text: string): Counted | string => {
  const [word = '', value = ''] = text.split(/=(.*)/s);
  const name = countedNames.find((known) => known === word);
  if (name === undefined || value === '') return `Give ${countedNames.join(', ')} and a count: techniques=40/45.`;
  const match = /^(\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?)$/.exec(value);
  if (match === null) return fromFile(name, value);
  return fractionOf(name, Number(match[1]), Number(match[2]), 'as given on the command line');
};
