/**
 * Finds exports without a docstring.
 * @module
 */
import { lex, type Token } from './lex.ts';

/** An exported name without a docstring. */
export interface Undocumented {
  readonly name: string;
  readonly line: number;
}

const isDocstring = (token: Token | undefined): boolean =>
  token?.kind === 'comment' && token.text.startsWith('/**') && !/^\s*\*\s*@module\b/m.test(token.text);

const declarationWords = new Set(
  'async abstract declare const let var function class interface type enum namespace'.split(' '),
);

/**
 * Lists the exported declarations without a docstring right before them. Re-exports need none; a list of local names (`export { a }`)
 * does not show which declaration it exports, so it counts as undocumented.
 */
export const undocumentedExports = (source: string): Undocumented[] => {
  const tokens = lex(source);
  const found: Undocumented[] = [];
  const documented = new Set<string>();
  tokens.forEach(({ kind, text, line }, index) => {
    if (kind !== 'word' || text !== 'export' || tokens[index - 1]?.text === '.') return;
    const rest = tokens.slice(index + 1, index + 400).filter((token) => token.kind !== 'comment');
    const isList =
      rest[0]?.text === '*' || rest[0]?.text === '{' || (rest[0]?.text === 'type' && rest[1]?.text === '{');
    if (isList) {
      const close = rest.findIndex((token) => token.text === '}');
      const isReExport = rest[0]?.text === '*' || rest[close + 1]?.text === 'from';
      if (!isReExport) found.push({ name: 'a list of names', line });
      return;
    }
    const name = rest.find((token) => token.kind === 'word' && !declarationWords.has(token.text))?.text ?? 'default';
    if (isDocstring(tokens[index - 1])) documented.add(name);
    // Later signatures of an overloaded function share the docstring of the first.
    else if (!documented.has(name)) found.push({ name, line });
  });
  return found;
};
