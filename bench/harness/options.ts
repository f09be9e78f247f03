/**
 * Options of a bench: what each takes, its default and its bounds.
 * @module
 */
import { parseArgs } from 'node:util';

/** A command line that cannot be run, or a machine that cannot be measured. The message is for the person who gave the command. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** An option that takes a value. */
interface ValueOption<Value> {
  readonly kind: 'value';
  readonly default: Value;
  /** @throws {RefusedError} when the text is no such value */
  read(name: string, text: string): Value;
}

/** An option without a value. */
interface FlagOption {
  readonly kind: 'flag';
}

/** Options by name. */
export type BenchOptions = Readonly<Record<string, ValueOption<unknown> | FlagOption>>;

/** The values that the options of a bench have. */
export type ValuesOf<Options extends BenchOptions> = {
  readonly [Name in keyof Options]: Options[Name] extends ValueOption<infer Value> ? Value : boolean;
};

/** Bounds of a number, both allowed. @default min 1 */
interface Bounds {
  readonly min?: number;
  readonly max: number;
}

const readNumber = (name: string, text: string, { min = 1, max }: Bounds): number => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= min && value <= max) return value;
  throw new RefusedError(`Cannot take --${name} ${text}: give a number from ${min} to ${max}`);
};

/** A number within bounds. */
export const number = (usual: number, bounds: Bounds): ValueOption<number> => ({
  kind: 'value',
  default: usual,
  read: (name, text) => readNumber(name, text, bounds),
});

/** Numbers within bounds, separated by commas. */
export const numbers = (usual: readonly number[], bounds: Bounds): ValueOption<readonly number[]> => ({
  kind: 'value',
  default: usual,
  read: (name, text) => text.split(',').map((each) => readNumber(name, each, bounds)),
});

/** Any text. */
export const text = (usual: string): ValueOption<string> => ({
  kind: 'value',
  default: usual,
  read: (_name, value) => value,
});

/** Any text, or nothing. */
export const optionalText: ValueOption<string | undefined> = {
  kind: 'value',
  default: undefined,
  read: (_name, value) => value,
};

/** Some of the words there are, separated by commas; all of them unless given. */
export const choices = (all: readonly string[]): ValueOption<readonly string[]> => ({
  kind: 'value',
  default: all,
  read: (name, value) => {
    const chosen = value.split(',');
    const unknown = chosen.find((word) => !all.includes(word));
    if (unknown === undefined) return chosen;
    throw new RefusedError(`Cannot take --${name} ${unknown}: choose from ${all.join(', ')}`);
  },
});

/** An option that is given or not. */
export const flag: FlagOption = { kind: 'flag' };

/** What a command line says. */
export interface Given<Options extends BenchOptions> {
  readonly values: ValuesOf<Options>;
  /** The words that belong to no option. */
  readonly words: readonly string[];
}

const parse = (options: BenchOptions, args: readonly string[]) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, { kind }]) => [name, { type: kind === 'flag' ? 'boolean' : 'string' }]),
      ),
    });
  } catch (error) {
    // Node explains at length; its first sentence names the option.
    throw new RefusedError((error as Error).message.split('. ')[0] ?? '');
  }
};

/** Reads a command line. @throws {RefusedError} when an option is unknown or its value is not allowed */
export const readOptions = <Options extends BenchOptions>(
  options: Options,
  args: readonly string[],
): Given<Options> => {
  const { values, positionals } = parse(options, args);
  const read = Object.entries(options).map(([name, option]) => {
    const given = values[name];
    if (option.kind === 'flag') return [name, given === true];
    return [name, typeof given === 'string' ? option.read(name, given) : option.default];
  });
  return { values: Object.fromEntries(read) as ValuesOf<Options>, words: positionals };
};
