/**
 * Finds the imports of a source file.
 * @module
 */
import { lex, type Token } from './lex.ts';

/** One import of a file. */
export interface Import {
  readonly specifier: string;
  readonly line: number;
  /**
   * `type`: erased before it runs; `file`: `new URL('./x.ts', import.meta.url)`, an entry of another thread or process; `value`:
   * everything else. `import { type A }` is a value import: the module is still loaded.
   */
  readonly kind: 'type' | 'value' | 'file';
}

/** Lists the imports, re-exports, `import(…)` calls and module URLs in source text. */
export const importsOf = (source: string): Import[] => {
  const tokens = lex(source).filter(({ kind }) => kind !== 'comment');
  const found: Import[] = [];
  const is = (index: number, text: string): boolean =>
    tokens[index]?.text === text && (tokens[index]?.kind === 'word' || tokens[index]?.kind === 'punctuation');
  const string = (index: number): Token | undefined => (tokens[index]?.kind === 'string' ? tokens[index] : undefined);

  /** Index after the list of names that starts here, or undefined when it is no such list. */
  const afterNames = (start: number): number | undefined => {
    for (let index = start; index < tokens.length; index++) {
      if (is(index, 'from') && string(index + 1) !== undefined) return index + 1;
      const token = tokens[index] as Token;
      const isPartOfNames = token.kind === 'word' || (token.kind === 'punctuation' && '{},*'.includes(token.text));
      // `import { 'quoted name' as x }` is the one place where a string is a name.
      if (!isPartOfNames && !(token.kind === 'string' && is(index + 1, 'as'))) return undefined;
    }
    return undefined;
  };
  const add = (kind: Import['kind'], at: number, specifier: Token | undefined): void => {
    if (specifier !== undefined) found.push({ specifier: specifier.text, line: (tokens[at] as Token).line, kind });
  };

  for (let index = 0; index < tokens.length; index++) {
    if (is(index - 1, '.')) {
      if (is(index, 'getBuiltinModule') && is(index + 1, '(')) add('value', index, string(index + 2));
      continue;
    }
    if (is(index, 'import') || is(index, 'export')) {
      if (is(index + 1, '(')) add('value', index, string(index + 2));
      else if (is(index, 'import') && string(index + 1) !== undefined) add('value', index, string(index + 1));
      else {
        const isType = is(index + 1, 'type') && !is(index + 2, ',') && !(is(index + 2, 'from') && string(index + 3));
        const names = isType ? index + 2 : index + 1;
        // An `export` that declares something is no import, whatever string follows it.
        if (is(index, 'export') && !is(names, '{') && !is(names, '*')) continue;
        const end = afterNames(names);
        if (end !== undefined) add(isType ? 'type' : 'value', index, string(end));
      }
    } else if (is(index, 'require') && is(index + 1, '(')) add('value', index, string(index + 2));
    else if (is(index, 'URL') && is(index + 1, '(') && is(index + 3, ',') && is(index + 4, 'import'))
      if (string(index + 2)?.text.endsWith('.ts')) add('file', index, string(index + 2));
  }
  return found;
};
