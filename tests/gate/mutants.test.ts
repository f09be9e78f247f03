/**
 * The mutant runner and the tree copies under it, on a small project of their own.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Fixture, plant, run, start } from './fixture.ts';

const sum = 'packages/sum/src/sum.ts';

/** A patch of the one line of `sum.ts`. */
const patch = (header: readonly string[], line: string, before = 'a + b'): string =>
  [
    ...header,
    `diff --git a/${sum} b/${sum}`,
    `--- a/${sum}`,
    `+++ b/${sum}`,
    '@@ -1 +1 @@',
    `-export const sum = (a: number, b: number): number => ${before};`,
    `+export const sum = (a: number, b: number): number => ${line};`,
    '',
  ].join('\n');

const caughtBy = 'Caught by: tests/sum.test.ts';
const breaks = 'Breaks: one and two are three';

/** A project whose packages are linked as npm links workspaces. */
const project = (patches: Readonly<Record<string, string>>): Fixture => {
  const tree = plant({
    '.gitignore': 'node_modules\n*.log\n',
    [sum]: 'export const sum = (a: number, b: number): number => a + b;\n',
    'packages/sum/package.json': '{"name":"@catalytic/sum","type":"module","exports":{"./*":"./src/*.ts"}}',
    'tests/sum.test.ts': [
      "import assert from 'node:assert/strict';",
      "import { test } from 'node:test';",
      "import { sum } from '@catalytic/sum/sum';",
      "test('adds', () => assert.equal(sum(1, 2), 3));",
      "test('takes none', () => assert.equal(sum(1, 0), 1));",
    ].join('\n'),
    'tests/bad.test.ts': "import { test } from 'node:test';\ntest('is bad', () => Promise.reject(new Error('no')));\n",
    'check.ts': "import { sum } from '@catalytic/sum/sum';\nprocess.exit(sum(1, 2) === 3 ? 0 : 1);\n",
    'left.log': 'ignored',
    ...Object.fromEntries(Object.entries(patches).map(([name, text]) => [`tests/mutants/${name}.patch`, text])),
  });
  tree.commit();
  mkdirSync(join(tree.root, 'node_modules/@catalytic'), { recursive: true });
  symlinkSync('../../packages/sum', join(tree.root, 'node_modules/@catalytic/sum'));
  tree.write({ 'node_modules/installed/index.js': '' });
  return tree;
};

const copies = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('catalytic-copy-'));

const mutants = async (patches: Readonly<Record<string, string>>, ...args: readonly string[]) => {
  using tree = project(patches);
  const { code, stdout, stderr } = await run('tests/mutants/run.ts', ['--root', tree.root, ...args]);
  const verdicts = Object.fromEntries(
    [...stdout.matchAll(/^(\S+) +\| .* \| .* \| (\w+) +\| +[\d.]+$/gm)].map(([, name, verdict]) => [name, verdict]),
  );
  return { code, stdout, stderr, verdicts };
};

// Each test has a tree of its own and mostly waits.
describe('mutants', { concurrency: 4 }, () => {
  test('faults that the named tests notice pass', async () => {
    const { code, stdout, verdicts } = await mutants({
      minus: patch([breaks, caughtBy], 'a - b'),
      named: patch([breaks, caughtBy, 'Test: adds'], 'b === 0 ? a : a - b'),
      checked: patch([breaks, 'Caught by: node check.ts'], '4'),
    });
    assert.deepEqual(verdicts, { checked: 'caught', minus: 'caught', named: 'caught' });
    assert.match(stdout, /^minus +\| one and two are three +\| tests\/sum\.test\.ts +\| caught +\| +\d/m);
    assert.match(stdout, /\n3 passed, 0 failed\n$/);
    assert.equal(code, 0);
  });

  test('a fault that the tests do not notice fails', async () => {
    const { code, stdout, verdicts } = await mutants({
      large: patch([breaks, caughtBy], 'a > 9 ? 0 : a + b'),
      unnamed: patch([breaks, caughtBy, 'Test: takes none'], 'b === 0 ? a : a - b'),
    });
    assert.deepEqual(verdicts, { large: 'SURVIVED', unnamed: 'SURVIVED' });
    assert.match(stdout, /\n0 passed, 2 failed\n$/);
    assert.equal(code, 1);
  });

  test('a patch that proves nothing fails and says why', async () => {
    const { code, stdout, verdicts } = await mutants({
      stale: patch([breaks, caughtBy], 'a - b', 'a * b'),
      garbled: patch([breaks, caughtBy], 'a +'),
      bare: patch([breaks], 'a - b'),
      gone: patch([breaks, 'Caught by: tests/gone.test.ts'], 'a - b'),
      failing: patch([breaks, 'Caught by: tests/bad.test.ts'], 'a - b'),
      nameless: patch([breaks, caughtBy, 'Test: multiplies'], 'a - b'),
    });
    assert.deepEqual(verdicts, {
      bare: 'BROKEN',
      failing: 'BROKEN',
      garbled: 'BROKEN',
      gone: 'BROKEN',
      nameless: 'BROKEN',
      stale: 'STALE',
    });
    assert.match(stdout, /patch \S+stale\.patch no longer applies: refresh it/);
    assert.match(stdout, /the patched code cannot be parsed\n +packages\/sum\/src\/sum\.ts: /);
    assert.match(stdout, /the tests fail without the fault as well/);
    assert.match(stdout, /no test matches "multiplies"/);
    assert.equal(code, 1);
  });

  test('tests that hang are ended in time, and count only where the header says so', async () => {
    // Waits in its thread: an endless loop would take a core from the other tests.
    const hang = 'b < 2 ? a + b : Number(Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) === "ok")';
    const limit = ['--timeout', '3'] as const;
    const [counted, hung] = await Promise.all([
      mutants({ counted: patch([breaks, caughtBy, 'Timeout: counts'], hang) }, ...limit),
      mutants({ hung: patch([breaks, caughtBy], hang) }, ...limit),
    ]);
    assert.deepEqual(counted.verdicts, { counted: 'caught' });
    assert.deepEqual(hung.verdicts, { hung: 'TIMEOUT' });
    assert.deepEqual([counted.code, hung.code], [0, 1]);
  });

  test('those named on the command line run, an unknown name is refused', async () => {
    const patches = { first: patch([breaks, caughtBy], 'a - b'), second: patch([breaks, caughtBy], 'a * b') };
    assert.deepEqual((await mutants(patches, 'second')).verdicts, { second: 'caught' });
    const unknown = await mutants(patches, 'third');
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /there is no tests\/mutants\/third\.patch/);
  });
});

describe('a command in a patched copy', () => {
  const minus = { minus: patch([breaks], 'a - b') };
  const inCopy = (tree: Fixture, ...command: readonly string[]) =>
    start('scripts/patched.ts', [
      '--root',
      tree.root,
      '--patch',
      join(tree.root, 'tests/mutants/minus.patch'),
      '--',
      ...command,
    ]);

  test('runs the patched code, passes its exit code back and leaves nothing', async () => {
    using tree = project(minus);
    const program =
      "import('@catalytic/sum/sum').then(({ sum }) => { console.log(process.cwd(), sum(1, 2), fs.existsSync('left.log')," +
      " fs.existsSync('node_modules/installed/index.js')); process.exit(7) })";
    const { code, stdout } = await inCopy(tree, 'node', '-e', program).ended;
    assert.equal(code, 7);
    const [, folder = ''] = /^(\S+) -1 false true\n$/.exec(stdout) ?? [];
    assert.notEqual(folder, '', stdout);
    assert.notEqual(folder, tree.root);
    assert.equal(existsSync(folder), false);
  });

  test('passes signals on', async () => {
    using tree = project(minus);
    const program =
      "process.on('SIGTERM', () => { console.log('asked'); process.exit(9) }); setInterval(() => {}, 1000); console.log('runs in', process.cwd())";
    const command = inCopy(tree, 'node', '-e', program);
    const folder = (await command.seen(/runs in \S+\n/)).trim().split(' ')[2] ?? '';
    assert.equal(
      copies().some((name) => folder.endsWith(name)),
      true,
    );
    command.kill('SIGTERM');
    const { code, stdout } = await command.ended;
    assert.match(stdout, /asked\n$/);
    assert.equal(code, 9);
    assert.equal(existsSync(folder), false);
  });

  test('refuses a patch that does not apply, and a call without a command', async () => {
    using tree = project({ minus: patch([breaks], 'a - b', 'a * b') });
    const stale = await inCopy(tree, 'node', '-v').ended;
    assert.equal(stale.code, 65);
    assert.match(stale.stderr, /^patched: patch \S+ no longer applies: refresh it/);
    const bare = await run('scripts/patched.ts', ['--patch', 'x']);
    assert.equal(bare.code, 64);
  });
});

test('the patches of the benches apply', () => {
  const root = join(import.meta.dirname, '../..');
  const patches = globSync('bench/targets/*.patch', { cwd: root });
  assert.ok(patches.length > 1);
  for (const patch of patches) execFileSync('git', ['apply', '--check', patch], { cwd: root });
});
