/**
 * A fault of a scenario in a line.
 * @module
 */
import type { RunResult } from '../results/result.ts';
import { number } from './tables.ts';

type Exception = RunResult['exceptions'][number];

/** `3 times: cannot read it, at shop.ts:12`. */
export const exceptionText = ({ count, message, place = '' }: Exception): string =>
  `${count === 1 ? 'once' : `${number(count)} times`}: ${message}${place === '' ? '' : `, at ${place}`}`;

/** The first fault, and how many others there are; empty when there is none. */
export const firstException = ({ exceptions }: RunResult): string => {
  const [first, ...others] = exceptions;
  if (first === undefined) return '';
  const more = others.length === 0 ? '' : `; and ${others.length} other${others.length === 1 ? '' : 's'}`;
  return `${exceptionText(first)}${more}`;
};
