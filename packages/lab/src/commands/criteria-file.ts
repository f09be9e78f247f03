/**
 * A file of criteria: what a run must keep, under version control beside what it judges.
 * @module
 */
import { readFileSync } from 'node:fs';
import type { Criteria } from '../measures/criteria.ts';

/** Names in the file: those of the options that say the same. */
const names = {
  p50: 'p50MsMax',
  p95: 'p95MsMax',
  p99: 'p99MsMax',
  failures: 'realFailuresPercentMax',
  'endpoint-failures': 'endpointFailuresPercentMax',
  rejected: 'rejectedMsMax',
} as const satisfies Readonly<Record<string, keyof Criteria>>;

const isName = (name: string): name is keyof typeof names => Object.hasOwn(names, name);

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`it is no JSON: ${(error as Error).message}`);
  }
};

/**
 * Reads criteria: `{ "p50": 20, "p95": 150, "p99": 500, "failures": 0.1 }`, latencies in milliseconds, failures in per cent.
 * @throws Error that says what is wrong and what is allowed
 */
export const parseCriteria = (text: string): Criteria => {
  const parsed = parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Error('it holds no object, such as { "p95": 150, "failures": 0.1 }');
  return Object.fromEntries(
    Object.entries(parsed).map(([name, limit]: [string, unknown]) => {
      if (!isName(name)) throw new Error(`it has a "${name}"; there are ${Object.keys(names).join(', ')}`);
      if (typeof limit !== 'number' || !(limit >= 0)) throw new Error(`"${name}" is no number of 0 or more`);
      return [names[name], limit];
    }),
  );
};

/** Reads a file of criteria. @see parseCriteria */
export const readCriteria = (file: string): Criteria => {
  try {
    return parseCriteria(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`--criteria ${file}: ${code === undefined ? message : `cannot read it: ${code}`}`);
  }
};
