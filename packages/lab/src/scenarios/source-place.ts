/**
 * Finds the line of a scenario file that a refusal is about: from the stack of the call, and from
 * the text behind it.
 * @module
 */
import { readFileSync } from 'node:fs';
import { basename, isAbsolute, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A line of a file, from 1. */
export interface SourcePlace {
  readonly file: string;
  readonly line: number;
}

/** Files of the lab that a scenario calls: the place of a fault is the caller's line. */
const ours: ReadonlySet<string> = new Set([
  'define-scenario.ts',
  'data-pool.ts',
  'source-place.ts',
  'guard-process.ts',
]);
/** Files that load a scenario: frames below them are not the scenario's. */
const loaders: ReadonlySet<string> = new Set(['import-scenario.ts', 'load-scenario.ts']);

const asPath = (text: string): string => (text.startsWith('file:') ? fileURLToPath(text) : text);

const placeOfFrame = (frame: string): SourcePlace | undefined => {
  const [, file, line] = /(?:^|\(|at (?:async )?)((?:file:\/\/)?\/[^()]*?):(\d+)(?::\d+)?\)?$/.exec(frame.trim()) ?? [];
  return file === undefined ? undefined : { file: asPath(file), line: Number(line) };
};

/**
 * Where an error was thrown, or where the function of ours was called that threw it; `undefined`
 * when its stack names no file.
 */
export const placeOfError = ({ stack = '' }: Error): SourcePlace | undefined => {
  for (const frame of stack.split('\n')) {
    const place = placeOfFrame(frame);
    if (place !== undefined && loaders.has(basename(place.file))) return undefined;
    if (place !== undefined && !ours.has(basename(place.file)) && !place.file.includes('/node_modules/')) return place;
  }
  return undefined;
};

/** `profile.ts:12`, from the working folder where the file lies in it. */
export const textOf = ({ file, line }: SourcePlace): string => {
  const near = relative(process.cwd(), file);
  return `${near.startsWith('..') || isAbsolute(near) ? file : near}:${line}`;
};

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/**
 * The line on which the last of the keys stands: each is looked for as a whole word behind the one
 * before, the first behind the place, and else anywhere.
 */
export const placeOfKeys = ({ file, line }: SourcePlace, keys: readonly string[]): SourcePlace => {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return { file, line };
  }
  // Words of comments are blanked out, in place; strings are kept, for keys may be quoted, and an
  // address in one is no comment.
  const code = text.replace(/(["'`])(?:\\.|(?!\1)[^\\])*\1|\/\/.*|\/\*[\s\S]*?\*\//g, (piece) =>
    piece.startsWith('/') ? piece.replace(/[^\n]/g, ' ') : piece,
  );
  let found = text
    .split('\n')
    .slice(0, line - 1)
    .reduce((sum, each) => sum + each.length + 1, 0);
  let from = found;
  for (const key of keys) {
    const word = new RegExp(`(?<![\\w$])${escaped(key)}(?![\\w$])`, 'g');
    word.lastIndex = from;
    // A function that is not found after the call was defined before it and passed by name; a
    // search that fails begins anew.
    const match = word.exec(code) ?? word.exec(code);
    if (match === null) continue;
    found = match.index;
    from = found + key.length;
  }
  return { file, line: text.slice(0, found).split('\n').length };
};

/** A flaw of a scenario, with its place where that is known. */
export class ScenarioFlaw extends Error {
  /**
   * @param action that failed
   * @param keys that lead to the flaw, below the call
   */
  constructor(action: string, reason: string, keys: readonly string[] = []) {
    super(reason);
    const place = placeOfError(this);
    this.message = `Cannot ${action}${place === undefined ? '' : ` at ${textOf(placeOfKeys(place, keys))}`}: ${reason}`;
  }
}
