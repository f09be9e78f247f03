import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { folderIn, runCatalytic, serviceIn, spawnCatalytic } from '../harness/service.ts';

const { suite, test } = nodeTest;

const names = [
  ...[
    'serve',
    'doctor',
    'hash-capacity',
    'accounts',
    'tenants',
    'audit',
    'backup',
    'restore',
    'after-restore',
    'migrate',
    'keys',
  ],
  'admin-keys',
];
/** One of each sort. */
const commands = [['serve'], ['backup'], ['accounts'], ['keys', 'rotate']];

test('help teaches: what there is, examples, exit codes, and which setting wins', async () => {
  const { code, stdout } = await runCatalytic(['--help']);
  assert.equal(code, 0);
  for (const name of names) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
  const helps = await Promise.all(commands.map((words) => runCatalytic([...words, '--help'])));
  for (const [index, { stdout: help }] of helps.entries()) {
    const words = String(commands[index]?.join(' '));
    assert.match(help, new RegExp(`^Examples:\n  npm run -s catalytic -- ${words}`, 'm'), words);
    assert.match(help, /^Exit codes:\n {2}0 /m, words);
    if (words !== 'accounts') assert.match(help, /flag wins over the environment/, words);
  }
  for (const heading of ['Where it listens:', 'Passwords:', 'Tokens and sessions:'])
    assert.ok(helps[0]?.stdout.includes(`\n${heading}\n`), heading);
  assert.match(helps[0]?.stdout ?? '', /no flag, because.*CATALYTIC_MASTER_KEY/);
});

test('every command stands under a heading that says what it is for, help too', async () => {
  const { stdout } = await runCatalytic(['--help']);
  assert.doesNotMatch(stdout, /^Commands:/m);
  assert.match(stdout, /^Run it:(\n .*)*\n {2}help /m);
});

test('a command under its former name is understood, and not shown', async () => {
  const [help, former] = await Promise.all([runCatalytic(['--help']), runCatalytic(['restored', '--help'])]);
  assert.doesNotMatch(help.stdout, /^ {2}restored /m);
  assert.match(former.stdout, /^Usage: catalytic after-restore /);
});

test('a misspelled command or flag is answered with the right one, a version with what it runs on', async () => {
  const [command, flag, version] = await Promise.all([
    runCatalytic(['bakcup']),
    runCatalytic(['serve', '--prot', '1']),
    runCatalytic(['--version']),
  ]);
  assert.equal(command.code, 2);
  assert.match(command.stderr, /Did you mean backup/);
  assert.equal(flag.code, 2);
  assert.match(flag.stderr, /Did you mean --port/);
  assert.match(version.stdout, /^\d+\.\d+\.\d+ \(Node \d+/);
});

test('a reader that goes away, as `| head` does, is no fault', async () => {
  const child = spawnCatalytic(['serve', '--help']);
  child.stdout?.destroy();
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  assert.deepEqual([code, stderr], [0, '']);
});

/** One of each group that opens the database, and some that only look or copy. */
const commandsOnData = [
  ...[
    ['accounts', 'list'],
    ['accounts', 'create', '--email', 'ada@example.com'],
    ['tenants', 'create', 'acme'],
    ['admin-keys', 'create'],
    ['keys', 'rotate'],
    ['audit', 'list'],
  ],
  ...[['after-restore'], ['backup'], ['migrate', '--to', 'postgres://nobody@127.0.0.1:1/nothing']],
];

suite('a command on a data folder that no service has run in', { concurrency: 2 }, () => {
  for (const words of commandsOnData)
    test(`catalytic ${words.join(' ')} refuses, and leaves the folder as it is`, async (t) => {
      const folder = folderIn(t);
      chmodSync(folder, 0o755);
      const missing = join(folder, 'nowhere');
      const absent = await runCatalytic(words, { DATA_DIR: missing }, 'a long enough password\n');
      assert.equal(absent.code, 2, absent.stdout + absent.stderr);
      assert.ok(absent.stderr.includes(missing), absent.stderr);
      assert.ok(!existsSync(missing), 'no folder was made');
      writeFileSync(join(folder, 'notes.txt'), 'somebody else has files here');
      const foreign = await runCatalytic(words, { DATA_DIR: folder }, 'a long enough password\n');
      assert.equal(foreign.code, 2, foreign.stdout + foreign.stderr);
      assert.deepEqual(readdirSync(folder), ['notes.txt']);
      assert.equal(statSync(folder).mode & 0o777, 0o755, 'its permissions are those of before');
    });
});

test('the refusal names the folder and the way out; a file that nothing was written to is no database', async (t) => {
  const folder = folderIn(t);
  writeFileSync(join(folder, 'catalytic.db'), '');
  const { code, stderr } = await runCatalytic(['accounts', 'list'], { DATA_DIR: folder });
  assert.deepEqual(
    [code, stderr],
    [
      2,
      `catalytic: Cannot use the data folder ${folder}: no service has run in ${folder}; start one there first, or name its folder with --data-dir\n`,
    ],
  );
  assert.equal(statSync(join(folder, 'catalytic.db')).size, 0);
});

test('a command beside a running service works', async (t) => {
  const { dataDir } = await serviceIn(t);
  const { code, stdout, stderr } = await runCatalytic(['tenants', 'list'], { DATA_DIR: dataDir });
  assert.equal(code, 0, stderr);
  assert.match(stdout, / default$/m);
});

nodeTest.suite('with PostgreSQL', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  test('a command works before the first start; it makes the data folder only for a master key', async (t) => {
    const folder = folderIn(t);
    chmodSync(folder, 0o755);
    const { url } = await createDatabase(await server());
    const settings = { DATABASE_URL: url, DATA_DIR: folder };
    const { code, stderr } = await runCatalytic(['tenants', 'create', 'acme'], settings);
    assert.equal(code, 0, stderr);
    assert.equal(statSync(folder).mode & 0o777, 0o755);
    const missing = join(folder, 'data');
    const rotated = await runCatalytic(['keys', 'rotate'], { ...settings, DATA_DIR: missing });
    assert.equal(rotated.code, 0, rotated.stderr);
    assert.equal(statSync(join(missing, 'master.key')).mode & 0o777, 0o600);
  });
});
