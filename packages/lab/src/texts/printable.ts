/**
 * Makes foreign text fit to be shown. Text of a target, a scenario or a command may hold control
 * sequences that move a terminal's cursor, letters that turn the direction of writing, or a line
 * end that forges a row: they are shown as escapes.
 * @module
 */

/**
 * Most characters of one piece of foreign text: enough for any sentence, too few to drown a report.
 */
export const printableCharsMax = 1000;
/** Most lines of it: enough for the stack of an exception or the last words of a program. */
const linesMax = 200;

/**
 * Control characters (C0, DEL, C1), characters without width or that turn the direction (Cf),
 * halves of characters, and line and paragraph separators.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const shortEscapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

const escapeOf = (character: string): string => {
  const short = shortEscapes[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : `\\u{${code.toString(16)}}`;
};

/** Cuts without halving a character. */
const shortened = (text: string, charsMax: number): string =>
  text.length <= charsMax
    ? text
    : `${text
        .slice(0, charsMax)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`;

/**
 * One line of text: without control characters, and no longer than `charsMax` before they are
 * escaped.
 */
export const printable = (text: string, charsMax = printableCharsMax): string =>
  shortened(text, charsMax).replace(unprintable, escapeOf);

/** Text of several lines, each of them printable. */
export const printableLines = (text: string, charsMax = printableCharsMax): string => {
  const lines = text.split(/\r?\n/);
  const shown = lines.slice(0, linesMax).map((line) => printable(line, charsMax));
  return [...shown, ...(lines.length > linesMax ? ['…'] : [])].join('\n');
};

/**
 * Replaces markup of Markdown, links, images, and the end of a table's cell by character
 * references, which every reader knows.
 */
const references: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '|': '&#124;',
  '`': '&#96;',
  '[': '&#91;',
  ']': '&#93;',
  '\\': '&#92;',
};

/** Text for Markdown: printable, and text only. */
export const markdownText = (text: string): string =>
  shortened(text, printableCharsMax)
    .replace(/[<|`[\]\\]/g, (character) => references[character] ?? '')
    .replace(unprintable, escapeOf);

/**
 * JSON in which control characters stand as JSON's own escapes: it means the same, and can be shown
 * on a terminal as it is.
 */
export const printableJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(/[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from(
      { length: character.length },
      (_, unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

/**
 * A copy of a value with all its texts shown in one way, those that name its fields, too. Lists of
 * numbers are taken as they are.
 */
export const mapTexts = <Value>(value: Value, show: (text: string) => string): Value => {
  const known = new Map<string, string>();
  const shown = (text: string): string => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const now = show(text);
    known.set(text, now);
    return now;
  };
  const map = (each: unknown): unknown => {
    if (typeof each === 'string') return shown(each);
    if (typeof each !== 'object' || each === null) return each;
    if (Array.isArray(each)) return typeof each[0] === 'number' ? each : each.map(map);
    return Object.fromEntries(Object.entries(each).map(([key, field]) => [shown(key), map(field)]));
  };
  return map(value) as Value;
};
