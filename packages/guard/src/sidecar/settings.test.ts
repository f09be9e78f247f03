import assert from 'node:assert/strict';
import { test } from 'node:test';
import { help, readSettings } from './settings.ts';

const least = ['--listen', '127.0.0.1:8680', '--issuer', 'https://id.example.com'];
const read = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  readSettings([...least, ...args], { CATALYTIC_GUARD_KEY: 'cgk_x', ...env });

test('a flag wins over its variable, and a variable that does not exist stops the start', () => {
  assert.equal(read([], { CATALYTIC_GUARD_MODE: 'follow' }).guard.mode, 'follow');
  assert.equal(read(['--mode', 'ask'], { CATALYTIC_GUARD_MODE: 'follow' }).guard.mode, 'ask');
  const { rules } = read([], {
    CATALYTIC_GUARD_REQUIRE: '/a role=x; /b role=y;',
    CATALYTIC_GUARD_PATH_FROM: 'X-Original-URI',
  });
  assert.deepEqual(rules.map(({ prefix }) => prefix).sort(), ['/a', '/b']);
  assert.throws(() => read([], { CATALYTIC_GUARD_REQIRE: '/a role=x' }), /no variable CATALYTIC_GUARD_REQIRE/);
  // Of Kubernetes, for a service of this name.
  read([], { CATALYTIC_GUARD_PORT: 'tcp://10.0.0.1:80', CATALYTIC_GUARD_SERVICE_HOST: '10.0.0.1' });
});

test('settings that cannot work say what to do, and never repeat the key', () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [['--require', '/a role=x'], /--path-from x-original-uri/],
    [['--path-from', 'x-path', '--require', '/a role=x'], /Cannot take the path from "x-path"/],
    [['--require', '/a rôle=x', '--path-from', 'request'], /no requirement "rôle"/],
    [['--mode', 'ask', '--mode', 'strict'], /give it once/],
    [['--operate', 'localhost'], /--operate.*127\.0\.0\.1:8680/],
    [['--operate', 'unix:relative'], /--operate/],
    [['--socket-mode', '999'], /three octal digits/],
    [['--key-file', '/nowhere/at/all'], /two guard keys/],
    [['--key', 'cgk_secret'], /--key/],
    [['extra'], /extra/],
  ];
  for (const [args, message] of wrong)
    assert.throws(
      () => read(args),
      (error: Error) => message.test(error.message) && !error.message.includes('cgk_'),
      args.join(' '),
    );
  assert.throws(() => readSettings([...least, '--key-file', '/nowhere/at/all'], {}), /Cannot read the guard key/);
  assert.throws(() => readSettings([], {}), /Cannot start without --listen/);
});

test('the help names every flag', () => {
  for (const flag of ['--listen', '--require', '--path-from', '--operate', '--key-file', '--resource'])
    assert.ok(help.includes(`  ${flag} `), flag);
  assert.doesNotMatch(help, /.{125}/, 'it fits into a terminal');
});
