/**
 * Describes what a scenario threw: a message, a stack, and the line of the scenario that it came
 * from. It never throws itself.
 * @module
 */
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { printable, printableLines } from '../texts/printable.ts';
import { redact } from '../texts/redact.ts';

/** A described fault. */
export interface DescribedFault {
  readonly message: string;
  readonly traceback: string;
  /**
   * `file:line` of the scenario, or another description of the place; empty when the place is
   * unknown.
   */
  readonly place: string;
}

/** Longest message that tells exceptions apart, characters. */
const messageCharsMax = 500;
const labFolder = new URL('..', import.meta.url).href;
const startFolder = process.cwd();

/**
 * A file's URL as people know the file: from the folder the lab was started in, where it lies below
 * that.
 */
export const fileOf = (url: string): string => {
  const file = fileURLToPath(url);
  const below = relative(startFolder, file);
  return below.startsWith('..') ? file : below;
};

/**
 * Whether a place in a stack is code of the scenario, and not of the lab or of a shared library.
 */
export const isOfScenario = (url: string): boolean =>
  url.startsWith('file://') && !url.startsWith(labFolder) && !url.includes('/node_modules/');

/** The line of a scenario that a stack leads through last; empty when it leads through none. */
export const placeIn = (stack: string): string => {
  for (const [, url = '', line = ''] of stack.matchAll(/(file:\/\/[^\s)]+?):(\d+):\d+/g))
    if (isOfScenario(url)) return `${fileOf(url.replace(/\?.*/, ''))}:${line}`;
  return '';
};

/**
 * An error that has been counted where it happened, and is not counted again where it is caught.
 */
export class CountedFault extends Error {
  override readonly name = 'CountedFault';
}

/** A fault that knows no line, but something else of where it happened. */
export class PlacedFault extends Error {
  readonly place: string;

  constructor(message: string, place: string) {
    super(message);
    this.name = 'PlacedFault';
    this.place = place;
    this.stack = `${message}\n    at ${place}`;
  }
}

const textOf = (value: unknown): string => {
  try {
    return typeof value === 'object' && value !== null ? (JSON.stringify(value) ?? String(value)) : String(value);
  } catch {
    return 'something that cannot be shown';
  }
};

/** A thrown value that is no Error, with its place as far as it is known. */
export const thrownValue = (value: unknown, place: string): PlacedFault => new PlacedFault(textOf(value), place);

const read = (thrown: unknown, field: string): string => {
  const value = (thrown as Readonly<Record<string, unknown>> | null | undefined)?.[field];
  return typeof value === 'string' ? value : '';
};

/** Whether what was thrown has a stack, as errors have, also those of other realms. */
export const hasStack = (thrown: unknown): boolean => {
  try {
    return typeof thrown === 'object' && read(thrown, 'stack') !== '';
  } catch {
    return false;
  }
};

/**
 * Describes what was thrown, without control characters, secrets of URLs, or more text than a
 * report can hold.
 */
export const describeFault = (thrown: unknown, where = ''): DescribedFault => {
  try {
    const stack = hasStack(thrown) ? read(thrown, 'stack') : '';
    const said = hasStack(thrown) ? read(thrown, 'message') || read(thrown, 'name') : textOf(thrown);
    return {
      message: printable(redact(said.slice(0, 2 * messageCharsMax)), messageCharsMax),
      traceback: printableLines(redact(stack.slice(0, 20 * messageCharsMax))),
      place: printable((thrown instanceof PlacedFault ? thrown.place : placeIn(stack)) || where),
    };
  } catch {
    return { message: 'something that cannot be shown was thrown', traceback: '', place: where };
  }
};
