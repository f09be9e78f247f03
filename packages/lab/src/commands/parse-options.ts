/**
 * Reads single words of the command line.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import { durationExamples, parseDuration as durationOf, parseDecimal } from '../arrivals/duration.ts';
import { off } from '../measures/read-criteria.ts';
import type { Counted } from '../results/counted.ts';
import { basePathOf } from '../targets/origin.ts';
import { parseCounted } from './parse-counted.ts';

/** A number above zero, in decimal digits. */
export const parsePositive = (text: string): number => {
  const value = parseDecimal(text);
  if (value !== undefined && value > 0) return value;
  throw new InvalidArgumentError('Give a number above zero.');
};

/** A number from 0 to 100. */
export const parsePercent = (text: string): number => {
  const value = parseDecimal(text);
  if (value !== undefined && value <= 100) return value;
  throw new InvalidArgumentError('Give a number from 0 to 100.');
};

/** Milliseconds of a limit, 0 or more. */
export const parseMs = (text: string): number => {
  const value = parseDecimal(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError('Give a number of 0 or more.');
};

/** A limit of a criterion, read by `parse`, or `none`, which switches it off. */
export const parseLimit =
  (parse: (text: string) => number) =>
  (text: string): number | typeof off =>
    text === off ? off : parse(text);

/** A whole number above zero. */
export const parseCount = (text: string): number => {
  const value = parsePositive(text);
  if (Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('Give a whole number.');
};

/** Whole numbers above zero, one more each time. */
export const collectCounts = (text: string, before: readonly number[] = []): readonly number[] => [
  ...before,
  parseCount(text),
];

/** `90`, `90s`, `1h30m`, `500ms`, in seconds. */
export const parseDuration = (text: string): number => {
  const seconds = durationOf(text);
  if (seconds !== undefined) return seconds;
  throw new InvalidArgumentError(`Give a duration such as ${durationExamples}.`);
};

/** `1-3`, or `2` for always the same, in seconds. */
export const parseWait = (text: string): readonly [number, number] => {
  const match = /^(\d+(?:\.\d+)?)(?:-(\d+(?:\.\d+)?))?$/.exec(text);
  const wait = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])] as const;
  if (match === null || wait[0] > wait[1])
    throw new InvalidArgumentError('Give a number of seconds such as 2, or two such as 1-3.');
  return wait;
};

/** Fewest characters of a password that the service accepts. */
const passwordLengthMin = 15;

/** A password long enough to register with; counted in code points, as the service does. */
export const parsePassword = (text: string): string => {
  if ([...text].length >= passwordLengthMin) return text;
  throw new InvalidArgumentError(`Give at least ${passwordLengthMin} characters.`);
};

/** A word of the command line that is collected: it may be given several times. */
export const collect = (word: string, earlier: readonly string[] = []): readonly string[] => [...earlier, word];

/** Turns the errors of a parser into errors of the command line. */
export const parsedBy =
  <Value>(parse: (text: string) => Value) =>
  (text: string): Value => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
    }
  };

/** @throws InvalidArgumentError for anything but a URL of HTTP or HTTPS */
export const parseHttp = (text: string, example: string): URL => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new InvalidArgumentError(`Give a URL such as ${example}.`);
  return url;
};

/**
 * Where a target is: `http://host:port`, or `http://host:port/api/v2`, below whose path every
 * request goes.
 */
export const parseTarget = (text: string): string => {
  const { origin, username, password, search, hash } = parseHttp(text, 'http://127.0.0.1:8000');
  // An address stands in every file of a run, and a secret must not.
  if (username !== '' || password !== '')
    throw new InvalidArgumentError('Leave out user name and password. A scenario sends them in a header field.');
  if (search !== '' || hash !== '')
    throw new InvalidArgumentError('Leave out what follows "?" or "#": a target is a host and, if need be, a path.');
  return origin + basePathOf(text);
};

/**
 * An address with a path: `http://host:port/metrics`. A user and a password in it must be
 * percent-encoded.
 */
export const parseUrl = (text: string): string => {
  const url = parseHttp(text, 'http://127.0.0.1:8000/metrics');
  try {
    decodeURIComponent(url.username + url.password);
  } catch {
    throw new InvalidArgumentError('Percent-encode the user and the password in it.');
  }
  return url.href;
};

/** `NAME=DONE/ALL`, or `NAME=FILE`; one more each time. */
export const collectCounted = (text: string, before: readonly Counted[] = []): readonly Counted[] => {
  const counted = parseCounted(text);
  if (typeof counted === 'string') throw new InvalidArgumentError(counted);
  return [...before.filter(({ name }) => name !== counted.name), counted];
};

/** A new seed. */
export const newSeed = (): string => randomBytes(4).toString('hex');
