/**
 * A small lexer of TypeScript, enough to find imports, exports and their docstrings without mistaking text for code.
 *
 * Own code because neither ready tool fits: TypeScript 7 has no compiler API in JavaScript, and `es-module-lexer` reads what is left
 * after the types are stripped, where `import type` (which the rules must see) and every line of a docstring are gone.
 * @module
 */

/** Kinds of tokens. A template is one token for each stretch of text between its expressions. */
export type TokenKind = 'word' | 'string' | 'template' | 'regex' | 'punctuation' | 'comment';

/** A piece of source text. */
export interface Token {
  readonly kind: TokenKind;
  /** As written; strings without their quotes. */
  readonly text: string;
  /** Line of its first character, from 1. */
  readonly line: number;
}

/** After one of these words a slash starts a regular expression; after any other word it divides. */
const wordsBeforeRegex = new Set(
  'return typeof case in of do else void delete throw new instanceof yield await default extends'.split(' '),
);

const wordPattern = /[\p{ID_Continue}$#@\u200c\u200d]+/uy;
const regexPattern = /\/(?:[^\\/[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/uy;
// Strings end at the line's end at the latest, so one misread quote spoils one line at most.
const stringPattern = /'((?:[^'\\\n]|\\.)*)'?|"((?:[^"\\\n]|\\.)*)"?/suy;
const commentPattern = /\/\/[^\n]*|\/\*.*?(?:\*\/|$)/suy;
const templatePattern = /(?:[^`\\$]|\\.|\$(?!\{))*(?:`|\$\{|$)/suy;

/** Splits source text into tokens. */
export const lex = (source: string): Token[] => {
  const tokens: Token[] = [];
  /** The kind of each open brace: the template of a `${` resumes at its end. */
  const braces: ('block' | 'template')[] = [];
  let position = 0;
  let line = 1;
  let before: Token | undefined;

  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = position;
    return pattern.exec(source);
  };
  const push = (kind: TokenKind, text: string, length: number): void => {
    const token = { kind, text, line };
    tokens.push(token);
    if (kind !== 'comment') before = token;
    for (let index = position; index < position + length; index++) if (source[index] === '\n') line++;
    position += length;
  };
  const takeTemplate = (): void => {
    const [text = ''] = match(templatePattern) ?? [];
    if (text.endsWith('${')) braces.push('template');
    push('template', text, Math.max(1, text.length));
  };
  const regexMayStart = (): boolean => {
    if (before === undefined) return true;
    if (before.kind === 'word') return wordsBeforeRegex.has(before.text);
    return before.kind === 'punctuation' && !')]}'.includes(before.text);
  };

  while (position < source.length) {
    const character = source[position] as string;
    if (character === '\n') line++;
    if (/\s/u.test(character)) {
      position++;
      continue;
    }
    const comment = character === '/' ? match(commentPattern) : null;
    const regex = character === '/' && comment === null && regexMayStart() ? match(regexPattern) : null;
    const string = character === "'" || character === '"' ? match(stringPattern) : null;
    const word = match(wordPattern);
    if (comment !== null) push('comment', comment[0], comment[0].length);
    else if (regex !== null) push('regex', regex[0], regex[0].length);
    else if (string !== null) push('string', string[1] ?? string[2] ?? '', string[0].length);
    else if (word !== null) push('word', word[0], word[0].length);
    else if (character === '`') {
      position++;
      takeTemplate();
    } else {
      push('punctuation', character, 1);
      if (character === '{') braces.push('block');
      else if (character === '}' && braces.pop() === 'template') takeTemplate();
    }
  }
  return tokens;
};
