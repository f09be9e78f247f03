/**
 * What the gate reads out of source text: imports and undocumented exports.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { undocumentedExports } from '../../scripts/docstrings.ts';
import { importsOf } from '../../scripts/imports.ts';

const list = (source: string): string[] =>
  importsOf(source).map(({ specifier, line, kind }) => `${line} ${kind} ${specifier}`);

describe('imports of a source text', () => {
  test('each form is found with its line', () => {
    const source = [
      "import 'a';",
      "import b from 'b';",
      "import * as c from 'c';",
      "import d, { type D } from 'd';",
      'import {',
      '  e,',
      "} from 'e';",
      "export { f } from 'f';",
      "export * from 'g';",
      "export * as h from 'h';",
      "const i = await import('i');",
      "const j = require('j');",
      "process.getBuiltinModule('k');",
      "import data from './l.json' with { type: 'json' };",
    ].join('\n');
    assert.deepEqual(list(source), [
      '1 value a',
      '2 value b',
      '3 value c',
      '4 value d',
      '5 value e',
      '8 value f',
      '9 value g',
      '10 value h',
      '11 value i',
      '12 value j',
      '13 value k',
      '14 value ./l.json',
    ]);
  });

  test('type-only imports are told from imports that only name types', () => {
    assert.deepEqual(list("import type { A } from 'a';\nimport { type B } from 'b';\nexport type { C } from 'c';"), [
      '1 type a',
      '2 value b',
      '3 type c',
    ]);
    assert.deepEqual(list("import type from 'a';\nimport type, { b } from 'b';\nimport type C from 'c';"), [
      '1 value a',
      '2 value b',
      '3 type c',
    ]);
    assert.deepEqual(list("type A = import('a').A;"), ['1 value a']);
  });

  test('the entry of another thread or process is found', () => {
    assert.deepEqual(
      list("new Worker(new URL('./thread.ts', import.meta.url));\nnew URL('./page.html', import.meta.url);"),
      ['1 file ./thread.ts'],
    );
  });

  test('text that looks like an import is none', () => {
    const source = [
      "// import 'a';",
      "/* import 'b'; */",
      'const c = "import \'c\';";',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: source text under test
      "const d = `import 'd'; ${`import 'e' ${1}`} import 'f';`;",
      "const g = /import 'g';/;",
      "const h = x.import('h');",
      "export const i = 'i';",
      "export type J = 'from' | 'j';",
      "const k = { import: 'k', from: 'l' };",
    ].join('\n');
    assert.deepEqual(list(source), []);
  });

  test('code inside a template and after odd slashes is still read', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: source text under test
    assert.deepEqual(list("const a = `${await import('a')}`;"), ['1 value a']);
    assert.deepEqual(list("const half = (1 + 2) / 2; const b = import('b'); // a / b"), ['1 value b']);
    assert.deepEqual(list("const quote = /['\"`]/g.test(x);\nimport('c');"), ['2 value c']);
  });
});

describe('undocumented exports of a source text', () => {
  const names = (source: string): string[] => undocumentedExports(source).map(({ name, line }) => `${line} ${name}`);

  test('each declaration needs a docstring right before it', () => {
    const source = [
      '/** Fine. */',
      'export const a = 1;',
      'export const b = 2;',
      '/** Said of something else. */',
      'const c = 3;',
      'export async function d() {}',
      '// No docstring.',
      'export interface E {}',
      'export default class {}',
    ].join('\n');
    assert.deepEqual(names(source), ['3 b', '6 d', '8 E', '9 default']);
  });

  test('the docstring of the module is not that of its first export', () => {
    assert.deepEqual(names('/**\n * About all.\n * @module\n */\nexport const a = 1;'), ['5 a']);
  });

  test('re-exports and later signatures need none, lists of local names are refused', () => {
    assert.deepEqual(
      names("export { a } from './a.ts';\nexport type { B } from './b.ts';\nexport * from './c.ts';"),
      [],
    );
    assert.deepEqual(names('/** Once. */\nexport function a(x: 1): 1;\nexport function a(x: 2): 2;'), []);
    assert.deepEqual(names('const a = 1;\nexport { a };'), ['2 a list of names']);
    assert.deepEqual(names("key.export({ format: 'jwk' });"), []);
  });
});
