import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startHttpServer } from '../../../../tests/harness/http-server.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult, SecondResult } from '../results/result.ts';
import { Histogram } from '../statistics/histogram.ts';
import { blockOf } from './block.ts';
import { plainLine } from './plain-lines.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = folderIn({ after });

/** Makes terminals (util-linux); the one of BSD takes other words. */
const hasScript = process.platform === 'linux' && ['/usr/bin/script', '/bin/script'].some((file) => existsSync(file));

const second: SecondResult = {
  t_s: 12,
  unix_s: 0,
  users: 40,
  requests: 123,
  ok: 120,
  expected: 2,
  real: 1,
  p50_ms: 1.25,
  p95_ms: 8,
  p99_ms: 150,
  generator_cpu_percent: 20,
  loop_delay_p99_ms: 1,
  loop_busy_percent: 15,
  generator_rss_mb: 90,
  target_cpu_percent: null,
  target_rss_mb: null,
};

const view = {
  users: 50,
  durationSeconds: 100,
  isSteady: true,
  factor: 1.1,
  hasKeys: true,
  canScale: true,
  isEnding: false,
};

test('a plain line is about all seconds since the line before, and about the failures among them', () => {
  const latency = new Histogram();
  for (const ms of [1, 1, 1, 900]) latency.record(ms);
  const quiet = { ...second, requests: 10, ok: 10, expected: 0, real: 0, generator_cpu_percent: 5 };
  const seconds = [
    { ...quiet, t_s: 11, ok: 3, real: 7 },
    { ...quiet, t_s: 12, generator_cpu_percent: 80 },
    { ...quiet, t_s: 13 },
  ];
  const line = plainLine([{ ...quiet, t_s: 10 }, ...seconds], { seconds, latency }, true, 60);
  assert.equal(
    line,
    '  13 s  47 s left  users 40  last 3 s: 10 req/s  p50 1.0  p95 900  p99 900 ms  real failures 7  ' +
      'so far: ok 33  expected 0  real failures 7  generator 80 % CPU  steady',
  );
});

test('a second without a request is blank between others', () => {
  const seconds = [null, 8, null].map((p95_ms, index) => ({ ...second, t_s: index + 1, p95_ms }));
  assert.match(blockOf(seconds, view, 120).join('\n'), /^ {2}p95 {8} (?=█)█ $/m);
});

test('the block shows what a run is doing, and no line is longer than the terminal is wide', () => {
  const text = blockOf([second], view, 120).join('\n');
  for (const part of [
    '1 min 28 s left',
    'steady',
    '40 of 50, by hand 110 %',
    '123/s',
    'p99 150 ms',
    'real failures 1',
    '20 % of a core',
    'q ends',
  ])
    assert.ok(text.includes(part), `${part} in ${text}`);
  for (const line of blockOf([second], view, 40)) assert.ok(line.length < 40, line);
  assert.ok(blockOf([], view, 80).length > 4, 'before the first second, too');
});

/** A run in a terminal of its own. */
const runInTerminal = async (args: readonly string[]) => {
  const server = await startHttpServer((request, response) => {
    request.resume();
    const isLogin = request.url === '/auth/login';
    if (request.url === '/auth/register') response.statusCode = 201;
    response.end(JSON.stringify(isLogin ? { access_token: 't', expires_in: 900 } : {}));
  });
  const { url } = server;
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const lab = [process.execPath, main, 'run', 'verify', '--target', url, '--users', '10', '--spawn-rate', '100'];
  const words = [...lab, '--wait', '0.05', '--duration', '30s', '--out', out, ...args];
  // `stty -a` afterwards shows how the terminal was left.
  const command = `${words.map((word) => `'${word}'`).join(' ')}; echo "code $?"; stty -a`;
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TMPDIR: mkdtempSync(join(folder, 'tmp-')), TERM: 'xterm', SHELL: '/bin/sh' },
  });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString();
  });
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    server.close();
  };
  return { child, out, output: () => output, close };
};

const press = (child: ChildProcess, key: string): void => {
  child.stdin?.write(key);
};

const until = async (output: () => string, text: string): Promise<void> => {
  for (let tries = 0; tries < 300 && !output().includes(text); tries++) await delay(50);
  assert.ok(output().includes(text), `${text} in ${output()}`);
};

const isGivenBack = (output: string): void => {
  assert.ok(output.lastIndexOf('\x1b[?25h') > output.lastIndexOf('\x1b[?25l'), 'the cursor is back');
  assert.match(output, /(?<!-)\bicanon\b/, 'keys are lines again');
  assert.match(output, /(?<!-)\becho\b/, 'keys are shown again');
};

suite('a terminal', { concurrency: 2, skip: !hasScript && 'needs script(1) of util-linux' }, () => {
  test('keys change the users and end the run with its results, and the terminal is given back', async () => {
    const { child, out, output, close } = await runInTerminal([]);
    try {
      await until(output, 'of a core');
      press(child, '+');
      await until(output, 'by hand 110 %');
      await until(output, '11 of 10');
      press(child, 'q');
      const [code] = (await once(child, 'close')) as [number | null];
      assert.match(output(), /code 3/, `${code}`);
      isGivenBack(output());
      const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
      assert.equal(result.ended, 'interrupted');
      assert.ok(result.validity.some(({ rule, verdict }) => rule.includes('by hand') && verdict === 'broken'));
    } finally {
      await close();
    }
  });

  test('--plain writes lines only, and a signal in the middle leaves the terminal as it was', async () => {
    const plain = await runInTerminal(['--plain', '--duration', '1s']);
    const drawn = await runInTerminal([]);
    try {
      await once(plain.child, 'close');
      assert.ok(!plain.output().includes('\x1b[?25l'), plain.output());
      await until(drawn.output, 'of a core');
      press(drawn.child, '\x03');
      await once(drawn.child, 'close');
      isGivenBack(drawn.output());
    } finally {
      await plain.close();
      await drawn.close();
    }
  });
});
