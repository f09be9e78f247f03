import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { runCatalytic, spawnCatalytic } from '../harness/service.ts';

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
