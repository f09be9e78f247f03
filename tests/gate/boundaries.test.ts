/**
 * Each rule of the boundaries, seen failing on a planted fault and passing without it.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkBoundaries } from '../../scripts/boundaries.ts';
import { type BoundaryRules, boundaryRules } from '../../scripts/boundary-rules.ts';
import { plant, repository, run } from './fixture.ts';

const features = { sessions: ['accounts'] };
const rules: BoundaryRules = { ...boundaryRules, features };

/** A server as small as the rules allow: every rule passes. */
const sound: Readonly<Record<string, string>> = {
  'package.json': '{"devDependencies":{"fast-check":"1"}}',
  'packages/protocol/package.json': '{"name":"@catalytic/protocol"}',
  'packages/protocol/src/ids.ts': 'export type Id = string;\n',
  'packages/guard/package.json': '{"name":"@catalytic/guard","dependencies":{"@catalytic/protocol":"1"}}',
  'packages/guard/src/view.ts': "import type { Id } from '@catalytic/protocol/ids';\nexport const view: Id = '';\n",
  'packages/server/package.json':
    '{"name":"@catalytic/server","dependencies":{"@catalytic/protocol":"1","@catalytic/guard":"1","fastify":"5"},"devDependencies":{"jose":"6"}}',
  'packages/server/src/app.ts': "import './http/server.ts';\nimport './stores/sqlite/stores.ts';\n",
  'packages/server/src/http/server.ts': "import 'fastify';\nimport '../features/sessions/log-in.ts';\n",
  'packages/server/src/features/accounts/store.ts': 'export interface AccountStore {}\n',
  'packages/server/src/features/accounts/rules.ts': 'export const isEmail = true;\n',
  'packages/server/src/features/sessions/log-in.ts': "import '../accounts/rules.ts';\n",
  'packages/server/src/features/sessions/log-in.test.ts':
    "import 'jose';\nimport 'node:sqlite';\nimport '../../stores/sqlite/stores.ts';\n",
  'packages/server/src/stores/sqlite/stores.ts':
    "import 'node:sqlite';\nimport type { AccountStore } from '../../features/accounts/store.ts';\n",
  'tests/system/tour.test.ts': "import '../../packages/server/src/app.ts';\nimport '@catalytic/guard/view';\n",
};

const broken = (files: Readonly<Record<string, string>>, changed: Partial<BoundaryRules> = {}): string[] => {
  using tree = plant({ ...sound, ...files });
  const { findings } = checkBoundaries(tree.root, { ...rules, ...changed });
  return findings.map(({ file, line, rule, message }) => `${file}:${line ?? ''} ${rule}: ${message}`);
};

const assertBroken = (files: Readonly<Record<string, string>>, ...expected: readonly RegExp[]): void => {
  const found = broken(files);
  assert.equal(found.length, expected.length, found.join('\n'));
  for (const [index, pattern] of expected.entries()) assert.match(found[index] ?? '', pattern);
};

describe('boundaries', () => {
  test('a sound tree breaks nothing', () => assertBroken({}));

  test('this repository is laid out as its own tables say', () => {
    const own = checkBoundaries(repository).findings.filter(({ file }) =>
      /^(scripts|tests\/(gate|mutants))\//.test(file),
    );
    assert.deepEqual(own, []);
  });

  describe('packages', () => {
    test('an import against the direction fails', () =>
      assertBroken(
        {
          'packages/guard/package.json': '{"name":"@catalytic/guard","dependencies":{"@catalytic/server":"1"}}',
          'packages/guard/src/view.ts': "\nimport '@catalytic/server/app';\n",
        },
        /^packages\/guard\/src\/view\.ts:2 package: guard must not import server/,
      ));

    test('a relative path into another package fails', () =>
      assertBroken(
        { 'packages/guard/src/view.ts': "import type { Id } from '../../protocol/src/ids.ts';\n" },
        /package: .* reaches into another package: import @catalytic\/protocol/,
      ));

    test('its own name, a path out of it, and a package without a rule fail', () => {
      assertBroken(
        { 'packages/protocol/src/paths.ts': "import '@catalytic/protocol/ids';\n" },
        /package: .* is this package/,
        /dependency: /,
      );
      assertBroken(
        { 'packages/protocol/src/paths.ts': "import '../../../scripts/tool.ts';\n", 'scripts/tool.ts': '' },
        /package: .* leaves packages\/protocol/,
      );
      assertBroken(
        { 'packages/extra/package.json': '{}', 'packages/extra/src/a.ts': '' },
        /packages\/extra\/src\/a\.ts: package: add extra to `packages`/,
      );
    });
  });

  describe('dependencies', () => {
    test('an undeclared import fails and names the file to declare it in', () =>
      assertBroken(
        { 'packages/guard/src/view.ts': "import { z } from 'zod/mini';\n" },
        /view\.ts:1 dependency: zod is not declared: add it to dependencies in packages\/guard\/package\.json/,
      ));

    test('a development dependency is for tests only', () =>
      assertBroken(
        { 'packages/server/src/features/sessions/log-in.ts': "import '../accounts/rules.ts';\nimport 'jose';\n" },
        /log-in\.ts:2 dependency: jose is only a development dependency/,
      ));

    test('what the root declares is not for packages', () =>
      assertBroken(
        { 'packages/server/src/features/sessions/log-in.test.ts': "import 'fast-check';\n" },
        /log-in\.test\.ts:1 dependency: fast-check is not declared: add it to devDependencies in packages\/server\/package\.json/,
      ));

    test('tools and tests across packages declare theirs at the root', () =>
      assertBroken(
        { 'bench/a.ts': "import 'fast-check';\nimport 'undici';\n" },
        /bench\/a\.ts:2 dependency: undici is not declared: add it to devDependencies in package\.json/,
      ));

    test('a built-in module is written with node:', () =>
      assertBroken({ 'scripts/a.ts': "import 'fs/promises';\n" }, /dependency: write node:fs\/promises/));
  });

  describe('rooms of the server', () => {
    test('an import against the direction fails', () => {
      assertBroken(
        { 'packages/server/src/features/accounts/find.ts': "import '../../http/server.ts';\n" },
        /find\.ts:1 room: features must not import http/,
      );
      assertBroken(
        { 'packages/server/src/http/mount.ts': "import '../stores/sqlite/stores.ts';\n" },
        /mount\.ts:1 room: http must not import stores/,
      );
    });

    test('stores take the types of ports and the rules, and nothing else of features', () => {
      const store = 'packages/server/src/stores/sqlite/accounts.ts';
      assertBroken(
        { [store]: "import { x } from '../../features/accounts/store.ts';\n" },
        /room: stores must not import features/,
      );
      assertBroken(
        { [store]: "import type { x } from '../../features/sessions/log-in.ts';\n" },
        /room: stores must not import features/,
      );
      assertBroken({ [store]: "import { isEmail } from '../../features/accounts/rules.ts';\n" });
    });

    test('a contract suite is imported by tests only', () => {
      const contract = { 'packages/server/src/features/accounts/store.contract.ts': "import 'node:test';\n" };
      const contents = "import '../../features/accounts/store.contract.ts';\n";
      assertBroken({ ...contract, 'packages/server/src/stores/sqlite/accounts.test.ts': contents });
      assertBroken(
        { ...contract, 'packages/server/src/stores/sqlite/accounts.ts': contents },
        /is a test suite: import it from \*\.test\.ts/,
      );
    });

    test('a room without a rule fails', () =>
      assertBroken({ 'packages/server/src/attic/a.ts': "import '../app.ts';\n" }, /room: add attic to `rooms`/));
  });

  describe('rooms of the lab', () => {
    const labRooms = { texts: {}, runs: { any: ['texts'], starts: ['main'] }, main: { any: ['runs'] } };
    const lab = {
      'packages/lab/package.json': '{"name":"@catalytic/lab"}',
      'packages/lab/src/texts/say.ts': 'export const say = 1;\n',
      'packages/lab/src/runs/run.ts': "import '../texts/say.ts';\nnew URL('../main.ts', import.meta.url);\n",
      'packages/lab/src/main.ts': "import './runs/run.ts';\n",
    };
    const brokenLab = (
      files: Readonly<Record<string, string>>,
      rooms: BoundaryRules['labRooms'] = labRooms,
    ): string[] => broken({ ...lab, ...files }, { labRooms: rooms });

    test('a room imports only rooms below it, and may start another process', () => {
      assert.deepEqual(brokenLab({}), []);
      const [finding, ...others] = brokenLab({
        'packages/lab/src/texts/say.ts': "import type { Run } from '../runs/run.ts';\n",
      });
      assert.match(finding ?? '', /texts\/say\.ts:1 room: texts must not import runs/);
      assert.equal(others.length, 1, 'the circle of files');
      assert.match(
        brokenLab({ 'packages/lab/src/texts/say.ts': "new URL('../main.ts', import.meta.url);\n" })[0] ?? '',
        /room: texts must not import main/,
      );
      assert.match(
        brokenLab({ 'packages/lab/src/attic/a.ts': '' })[0] ?? '',
        /attic\/a\.ts: room: add attic to `labRooms`/,
      );
    });

    test('the table itself points one way and has no unused line', () => {
      const { main, runs, texts } = labRooms;
      assert.deepEqual(brokenLab({}, { runs, texts, main }), [
        "scripts/boundary-rules.ts: room table: texts does not stand above runs: the lab's rooms point one way",
      ]);
      assert.deepEqual(brokenLab({}, { texts, runs, attic: {}, main: { any: ['runs', 'texts'] } }), [
        'scripts/boundary-rules.ts: room table: the lab has no room attic: take it out',
        'scripts/boundary-rules.ts: room table: main no longer imports texts: take it out',
      ]);
    });
  });

  describe('features', () => {
    const accounts = 'packages/server/src/features/accounts/register.ts';

    test('one that is not in the table fails', () =>
      assertBroken(
        { [accounts]: "import '../sessions/rules.ts';\n", 'packages/server/src/features/sessions/rules.ts': '' },
        /register\.ts:1 feature: accounts must not import sessions/,
      ));

    test('the types of a port are open to all, its values are not', () => {
      const port = { 'packages/server/src/features/sessions/store.ts': '' };
      assertBroken({ ...port, [accounts]: "import type { S } from '../sessions/store.ts';\n" });
      assertBroken(
        { ...port, [accounts]: "import { s } from '../sessions/store.ts';\n" },
        /feature: accounts must not/,
      );
    });

    test('the table itself has no circle and no unused line', () => {
      assert.deepEqual(broken({}, { features: { sessions: ['accounts'], accounts: ['sessions'] } }), [
        'scripts/boundary-rules.ts: feature table: sessions leads back to itself: features point one way',
        'scripts/boundary-rules.ts: feature table: accounts leads back to itself: features point one way',
        'scripts/boundary-rules.ts: feature table: accounts no longer imports sessions: take it out',
      ]);
      assert.deepEqual(broken({}, { features: { ...features, invoices: ['sessions'] } }), [
        'scripts/boundary-rules.ts: feature table: there is no feature invoices: take it out',
      ]);
    });
  });

  test('a circle of files fails and is shown whole, types included', () =>
    assertBroken(
      {
        'packages/protocol/src/a.ts': "import './b.ts';\n",
        'packages/protocol/src/b.ts': "\nimport type { C } from './c.ts';\n",
        'packages/protocol/src/c.ts': "export * from './a.ts';\n",
      },
      /c\.ts:1 circle: packages\/protocol\/src\/a\.ts → \S+b\.ts → \S+c\.ts → packages\/protocol\/src\/a\.ts/,
    ));

  test('what has one home is used there only', () => {
    const file = 'packages/server/src/features/sessions/log-in.ts';
    const start = "import '../accounts/rules.ts';\n";
    assertBroken({ [file]: `${start}import 'node:sqlite';\n` }, /log-in\.ts:2 home: node:sqlite belongs to/);
    assertBroken({ [file]: `${start}import type { A } from 'fastify';\n` }, /log-in\.ts:2 home: fastify belongs to/);
    assertBroken({ [file]: `${start}const a = process.env['A'];\n` }, /log-in\.ts:2 word: process\.env: /);
    assertBroken({ [file]: `${start}console.log(1);\n` }, /log-in\.ts:2 word: console\.log: /);
    assertBroken({ [file]: `${start}// process.env and console.log in words are fine\n` });
    assertBroken({ 'packages/server/src/config/read.ts': 'const a = process.env;\n' });
  });

  test('rules are pure', () => {
    const file = 'packages/server/src/features/accounts/rules.ts';
    assertBroken({ [file]: "import 'node:fs';\n" }, /rules\.ts:1 pure: .*node:fs/);
    assertBroken({ [file]: 'export const now = Date.now();\n' }, /rules\.ts:1 word: Date\.now: rules\.ts is pure/);
  });

  test('vague names, empty folders, long files and leftovers fail', () => {
    assertBroken({ 'packages/guard/src/utils/a.ts': '' }, /packages\/guard\/src\/utils\/a\.ts: name: "utils"/);
    assertBroken({ 'packages/guard/src/helpers.ts': '' }, /name: "helpers\.ts"/);
    assertBroken({ 'packages/console/package.json': '{}' }, /packages\/console: empty: this package has no source/);
    assertBroken({ 'packages/guard/src/long.ts': '//\n'.repeat(401) }, /long\.ts: size: 401 lines/);
    assertBroken({ 'packages/guard/src/long.test.ts': '//\n'.repeat(401) });
    const path = ['', 'home', 'ada', 'catalytic'].join('/');
    assertBroken({ 'docs/a.md': `see\n${path}\n` }, /docs\/a\.md:2 text: a path of one machine/);
    assertBroken({ 'docs/a.md': `${'<'.repeat(7)} HEAD\n` }, /docs\/a\.md:1 text: a merge conflict/);
  });

  test('the command names each place, rule and remedy, and fails', async () => {
    using tree = plant({ 'scripts/a.ts': "import 'left-pad';\n" });
    const { code, stdout } = await run('scripts/boundaries.ts', [tree.root]);
    assert.equal(code, 1);
    assert.match(stdout, /^scripts\/a\.ts:1 {2}dependency: left-pad is not declared: add it to devDependencies/m);
  });
});
