/**
 * The gate as a command: which steps run, where it stops, what reaches the tests, and what is left when it is stopped.
 * @module
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Fixture, plant, run, start } from './fixture.ts';

const passing = "import { test } from 'node:test';\ntest('passes', () => {});\n";

const project = (files: Readonly<Record<string, string>> = {}): Fixture => {
  const tree = plant({
    'tsconfig.json':
      '{"compilerOptions":{"noEmit":true,"module":"nodenext","types":["node"]},"include":["tests/**/*.ts"]}\n',
    'biome.json': '{"formatter":{"enabled":false},"assist":{"enabled":false}}\n',
    'tests/a.test.ts': passing,
    ...files,
  });
  tree.install();
  return tree;
};

const ok = ({ root }: Fixture, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) =>
  run('scripts/ok.ts', ['--root', root, ...args], env);

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

const isGone = async (pid: number): Promise<boolean> => {
  for (let round = 0; round < 100 && isAlive(pid); round++) await new Promise((resolve) => setTimeout(resolve, 20));
  return !isAlive(pid);
};

// Each test has a tree of its own and mostly waits.
describe('the gate', { concurrency: 4 }, () => {
  test('runs every step in order and ends with the figures of the test runner', async () => {
    using tree = project();
    const { code, stdout } = await ok(tree);
    assert.equal(code, 0, stdout);
    const headings = [...stdout.matchAll(/^── (.+?)(?: \(\d+\.\d s\))? ─+$/gm)].map(([, title]) => title);
    assert.deepEqual(headings, ['format and lint', 'types', 'boundaries', 'docs', 'tests']);
    assert.match(stdout, /✔ tests\/a\.test\.ts {2}1 tests, \d+ ms\nℹ tests 1\n(ℹ \w+ \d+\n)*ℹ duration_ms [\d.]+\n$/);
  });

  test('stops at the first failing step and says how to run that one alone', async () => {
    using tree = project({ 'package.json': '{}\n', 'tests/b.ts': "export const wrong: number = '';\n" });
    const { code, stdout } = await ok(tree, ['types', 'boundaries', 'tests']);
    assert.equal(code, 1);
    assert.match(stdout, /tests\/b\.ts.*TS2322/);
    assert.match(stdout, /\nok: types failed\. This step alone: npm run ok -- types\n$/);
    assert.doesNotMatch(stdout, /── (boundaries|tests)/);
  });

  test('a failing test fails it, shows what the file printed and keeps the closing lines last', async () => {
    using tree = project({
      'tests/b.test.ts':
        "import { test } from 'node:test';\nconsole.log('a clue');\ntest('breaks', () => {\n  throw new Error('reason');\n});\n",
    });
    const { code, stdout } = await ok(tree, ['tests']);
    assert.equal(code, 1);
    assert.match(stdout, /✖ tests\/b\.test\.ts {2}1 tests, \d+ ms\na clue\n/);
    assert.match(stdout, /ℹ fail 1\n.*✖ failing tests:\n.*Error: reason/s);
  });

  test('a test file that cannot start says why', async () => {
    using tree = project({ 'tests/b.test.ts': "import './gone.ts';\n" });
    const { code, stdout } = await ok(tree, ['tests', 'tests/b.test.ts']);
    assert.equal(code, 1);
    assert.match(stdout, /ERR_MODULE_NOT_FOUND/);
    assert.doesNotMatch(stdout, /a\.test\.ts/);
  });

  test('no test at all is a failure', async () => {
    using tree = project();
    const { code, stdout } = await ok(tree, ['tests', 'package.json']);
    assert.equal(code, 1);
    assert.match(stdout, /there is no test file/);
  });

  test('settings of the developer do not reach the tests', async () => {
    const settings = { CATALYTIC_MASTER_KEY: 'x', DATABASE_URL: 'x', HOST: 'x', PORT: '1', LOGIN_CACHE_SECONDS: '5' };
    const probe = [
      "import assert from 'node:assert/strict';",
      "import { test } from 'node:test';",
      "test('sees a clean environment', () => {",
      `  for (const name of ${JSON.stringify(Object.keys(settings))}) assert.equal(process.env[name], undefined, name);`,
      "  assert.equal(process.env['LANG'], 'C.UTF-8');",
      '});',
    ].join('\n');
    using tree = project({ 'tests/b.test.ts': probe });
    const { code, stdout } = await ok(tree, ['tests'], { ...settings, LANG: 'C.UTF-8' });
    assert.equal(code, 0, stdout);
  });

  const forgets = (rest: string): string =>
    [
      "import { spawn } from 'node:child_process';",
      "import { test } from 'node:test';",
      "const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });",
      "import { writeFileSync } from 'node:fs';",
      "writeFileSync('child.pid', String(child.pid));",
      rest,
    ].join('\n');
  const childOf = async ({ root }: Fixture): Promise<number> => {
    const { readFile } = await import('node:fs/promises');
    for (let round = 0; round < 250; round++) {
      const pid = Number(await readFile(`${root}/child.pid`, 'utf8').catch(() => ''));
      if (pid > 0) return pid;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error('The test under test did not start its child');
  };

  test('a process that a test leaves behind is ended, and fails the gate', async () => {
    using tree = project({ 'tests/b.test.ts': forgets("child.unref();\ntest('forgets', () => {});\n") });
    const { code, stdout } = await ok(tree, ['tests']);
    assert.match(stdout, /left processes behind/);
    assert.equal(code, 1);
    assert.equal(await isGone(await childOf(tree)), true);
  });

  test('stopped, it ends the tests and everything they started', async () => {
    using tree = project({ 'tests/b.test.ts': forgets("test('hangs', () => new Promise(() => {}));\n") });
    const gate = start('scripts/ok.ts', ['--root', tree.root, 'tests']);
    const child = await childOf(tree);
    gate.kill('SIGINT');
    const { code, stdout } = await gate.ended;
    assert.equal(code, 130);
    assert.match(stdout, /ok: stopped\n$/);
    assert.equal(await isGone(child), true);
  });

  test('teaches, and refuses what it does not know', async () => {
    using tree = project();
    const help = await ok(tree, ['--help']);
    assert.equal(help.code, 0);
    for (const step of ['lint', 'types', 'boundaries', 'docs', 'tests'])
      assert.match(help.stdout, new RegExp(`^  ${step} `, 'm'));
    const typo = await ok(tree, ['typos']);
    assert.equal(typo.code, 2);
    assert.match(typo.stderr, /^ok: "typos" is no step/);
    const flag = await ok(tree, ['--fast']);
    assert.equal(flag.code, 2);
  });
});
