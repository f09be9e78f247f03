/**
 * Finds the place at which a text stops being JSON: the engine names it for some mistakes and not
 * for others.
 * @module
 */

/** A place in a text, from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Line and column of an offset. */
export const placeAt = (text: string, offset: number): TextPlace => {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
};

const token =
  /\s*(?:([{}[\],:])|("(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[\da-f]{4}))*")|(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]?\d+)?|true|false|null)(?![\w.]))/iuy;

type Expected = 'value' | 'value or end' | 'key' | 'key or end' | 'colon' | 'more' | 'nothing';

/** The tokens that may follow a value, by the brackets around it. */
const afterValue = (open: readonly string[]): Expected => (open.length === 0 ? 'nothing' : 'more');

/** The tokens that may follow a mark; `undefined`: the mark is not allowed here. */
const afterMark = (mark: string, expected: Expected, open: string[]): Expected | undefined => {
  const takesValue = expected === 'value' || expected === 'value or end';
  if (mark === '{' || mark === '[') {
    if (!takesValue) return undefined;
    open.push(mark);
    return mark === '{' ? 'key or end' : 'value or end';
  }
  if (mark === ':') return expected === 'colon' ? 'value' : undefined;
  if (mark === ',') return expected === 'more' ? (open.at(-1) === '{' ? 'key' : 'value') : undefined;
  const isEnd = expected === 'more' || expected === (mark === '}' ? 'key or end' : 'value or end');
  if (!isEnd || open.pop() !== (mark === '}' ? '{' : '[')) return undefined;
  return afterValue(open);
};

/** The tokens that may follow a string, a number or a word. */
const afterWord = (isString: boolean, expected: Expected, open: readonly string[]): Expected | undefined => {
  if (expected === 'value' || expected === 'value or end') return afterValue(open);
  return isString && (expected === 'key' || expected === 'key or end') ? 'colon' : undefined;
};

/** The first place at which a text is not JSON; `undefined` when it is. */
export const jsonFault = (text: string): TextPlace | undefined => {
  const end = text.trimEnd().length;
  const open: string[] = [];
  let expected: Expected = 'value';
  let offset = 0;
  while (offset < end) {
    token.lastIndex = offset;
    const [whole, mark, string] = token.exec(text) ?? [];
    const next: Expected | undefined =
      whole === undefined
        ? undefined
        : mark === undefined
          ? afterWord(string !== undefined, expected, open)
          : afterMark(mark, expected, open);
    if (whole === undefined || next === undefined) return placeAt(text, text.slice(offset).search(/\S/) + offset);
    expected = next;
    offset += whole.length;
  }
  return expected === 'nothing' ? undefined : placeAt(text, text.length);
};
