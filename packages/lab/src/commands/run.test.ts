import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { type LabStop, runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const schemaFile = fileURLToPath(new URL('../results/result.schema.json', import.meta.url));
const folder = folderIn({ after });

type Behaviour = 'right' | 'accepts dead tokens' | 'fails' | 'refuses live tokens' | 'hangs' | 'answers nonsense';

/** A small service of somebody else: what the lab sees of it is all it knows. */
const startTarget = async (behaviour: Behaviour): Promise<{ url: string; server: Server }> => {
  const dead = new Set<string>();
  let tokens = 0;
  const answer = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const token = request.headers.authorization ?? '';
    const route = `${request.method} ${request.url?.split('?')[0]}`;
    request.resume();
    if (behaviour === 'fails') return answer(response, 500, { code: 'internal_error' });
    if (route === 'GET /health/ready') return answer(response, 200, {});
    if (behaviour === 'hangs') return;
    if (route === 'POST /auth/register') return answer(response, 201, {});
    if (behaviour === 'answers nonsense') return answer(response, 200, 'nonsense');
    if (route === 'POST /auth/login') return answer(response, 200, { access_token: `t${tokens++}`, expires_in: 900 });
    if (route === 'POST /auth/logout') {
      dead.add(token);
      return answer(response, 200, { revoked: true, propagation: 'complete' });
    }
    const isRefused = behaviour === 'refuses live tokens' || (dead.has(token) && behaviour !== 'accepts dead tokens');
    return isRefused ? answer(response, 401, { code: 'token_revoked' }) : answer(response, 200, { claims: {} });
  };
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
};

const load = async (behaviour: Behaviour, more: readonly string[] = [], stop: LabStop = {}) => {
  const { url, server } = await startTarget(behaviour);
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const few = ['--users', '20', '--spawn-rate', '100', '--duration', '2s', '--wait', '0.02-0.06'];
  const ended = await runLab(folder, ['run', 'auth', '--target', url, ...few, '--out', out, ...more], stop);
  server.closeAllConnections();
  server.close();
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  return { ...ended, result, out };
};

/** What a run says of the target, whatever else the machine was doing meanwhile. */
const isTargetPassed = ({ verdicts }: RunResult): boolean => verdicts.every(({ verdict }) => verdict !== 'failed');

// Side by side: each waits most of its time.
suite('catalytic-lab run', { concurrency: 4 }, () => {
  test('a right target passes, and what is written agrees with the schema and with Locust', async () => {
    const { result, out, code, output } = await load('right');
    assert.ok(isTargetPassed(result), output);
    assert.equal(result.whole.total.real, 0);
    assert.ok(result.whole.total.expected > 0, 'dead tokens were tried');
    assert.ok(result.consistency.dead_checks > 0);
    assert.equal(result.consistency.violations, 0);
    assert.equal(result.judged, 'steady');
    assert.equal(result.generator.reconnects, 0);
    // On a busy machine the run may be invalid; it can never be anything else.
    assert.ok(code === 0 || code === 3 || code === 6, output);

    const validate = new Ajv2020().compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
    assert.ok(validate(result), JSON.stringify(validate.errors));
    assert.match(readFileSync(`${out}.md`, 'utf8'), /## Executive summary.*## Windows.*## Bottleneck.*## Validity/s);
    assert.match(readFileSync(`${out}.html`, 'utf8'), /<section id="criteria">/);
    assert.match(result.server?.not_measured ?? '', /none of the series/);

    const lines = (end: string): string[] => readFileSync(`${out}${end}.csv`, 'utf8').split('\r\n');
    const stats = lines('_stats');
    assert.match(stats.at(-2) ?? '', /^,Aggregated,\d+,0,/);
    assert.equal(stats.at(-1), '', 'the file ends with a line end');
    assert.ok(lines('_stats_history').length >= 4, 'a row each second');
    assert.equal(lines('_failures').length, 2, 'expected refusals are no failures');
  });

  test('a target that accepts dead tokens ends with 4 and a timeline', async () => {
    const { code, output, result } = await load('accepts dead tokens');
    assert.equal(code, 4);
    assert.match(output, /accepted after promise/);
    assert.match(output, /logout answered 200/);
    assert.ok(result.consistency.violations > 0);
  });

  test('a target that refuses live tokens fails a criterion', async () => {
    const { code, result } = await load('refuses live tokens');
    assert.ok(code === 2 || code === 3);
    assert.ok(!isTargetPassed(result));
    assert.ok(result.errors.some(({ error, kind }) => kind === 'real' && error.includes('live token refused')));
  });

  test('a target that answers 500 to everything fails a criterion and never becomes steady', async () => {
    const { code, result } = await load('fails');
    assert.ok(code === 2 || code === 3);
    assert.ok(!isTargetPassed(result));
    assert.equal(result.steady, null);
    assert.equal(result.judged, 'whole');
  });

  test('a target that answers nonsense fails a criterion; it does not end the lab', async () => {
    const { result } = await load('answers nonsense');
    assert.ok(!isTargetPassed(result));
    assert.deepEqual(result.exceptions, []);
    assert.ok(result.errors.some(({ error }) => error.includes('no access token')));
  });

  test('faults happen at their times, stand in the results, and are undone at the end', async () => {
    const sleeper = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      const faults = ['--process', `sleeper=${sleeper.pid}`, '--fault', 'sleeper:pause@500ms'];
      const { result, out, output } = await load('right', faults);
      assert.match(output, /[01]\.\d s {2}fault sleeper:pause/);
      const [pause] = result.faults;
      assert.deepEqual(
        { ...pause, actual_s: 0, done_s: 0 },
        { name: 'sleeper', fault: 'pause', planned_s: 0.5, actual_s: 0, done_s: 0, error: null },
      );
      // Never early; how late it may be is the machine's business.
      assert.ok((pause?.actual_s ?? 0) >= 0.49 && (pause?.actual_s ?? 2) < 1.5);
      assert.ok(!result.verdicts.some(({ criterion }) => criterion.includes('202')), 'judged without faults only');
      const validate = new Ajv2020().compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
      assert.ok(validate(result), JSON.stringify(validate.errors));
      assert.match(
        readFileSync(`${out}.md`, 'utf8'),
        /## Faults[^#]*\| 0\.5 \| [01]\.\d \| [01]\.\d \| sleeper: pause/,
      );
      sleeper.kill('SIGTERM');
      await new Promise((resolve) => sleeper.once('exit', resolve));
      assert.equal(sleeper.signalCode, 'SIGTERM', 'it was not left paused');
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  test('a fault that could not be done makes the run invalid', async () => {
    const sleeper = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    try {
      const twice = ['--fault', 'sleeper:kill@500ms', '--fault', 'sleeper:kill@1500ms'];
      const { result, code } = await load('right', ['--process', `sleeper=${sleeper.pid}`, ...twice]);
      assert.deepEqual(
        result.faults.map(({ error }) => error),
        [null, `process ${sleeper.pid} does not run`],
      );
      assert.equal(code, 3);
    } finally {
      sleeper.kill('SIGKILL');
    }
  });

  test('accounts are imported where the admin routes answer', async () => {
    const imported: string[] = [];
    const operate = createServer(async (request, response) => {
      if (request.url === '/admin/accounts' && request.headers.authorization === undefined) {
        response.writeHead(401).end(JSON.stringify({ type: 'urn:catalytic:error:credentials_missing' }));
        return;
      }
      let lines = 0;
      for await (const chunk of request) lines += String(chunk).split('\n').length;
      imported.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.end(JSON.stringify({ imported: lines }));
    });
    await new Promise<void>((resolve) => operate.listen(0, '127.0.0.1', resolve));
    const keyFile = join(mkdtempSync(join(folder, 'key-')), 'key');
    writeFileSync(keyFile, 'a-key');
    const url = `http://127.0.0.1:${(operate.address() as AddressInfo).port}`;
    const { result } = await load('right', ['--operate-target', url, '--admin-key-file', keyFile]);
    operate.close();
    assert.deepEqual(
      imported.filter((line) => !line.startsWith('GET /metrics')),
      ['POST /admin/accounts/import?tenant=lab Bearer a-key'],
    );
    assert.ok(imported.includes('GET /metrics undefined'), 'metrics are asked there, too, and get no key');
    assert.equal(result.accounts.kind, 'imported');
    assert.ok(isTargetPassed(result));
    assert.ok(!result.whole.endpoints.some(({ name }) => name === '/auth/register'));
  });

  test('a target that is not there ends with 5', async () => {
    const { code, output } = await runLab(folder, ['run', 'auth', '--target', 'http://127.0.0.1:1', '--users', '1']);
    assert.equal(code, 5);
    assert.match(output, /Cannot reach/);
  });

  test('a target that never answers a request ends with 5', async () => {
    const { code, result } = await load('hangs', ['--timeout', '1s']);
    assert.equal(code, 5);
    assert.equal(result.ended, 'unreachable');
    assert.ok(result.errors.some(({ error }) => error === 'no answer: answer timeout'));
  });

  test('wrong usage ends with 1 and says what is wrong', async () => {
    const wrong = [
      ['run', 'nothing'],
      ['run', 'auth', '--users', '0'],
      ['run', 'auth', '--duration', 'soon'],
      ['run', 'auth', '--fault', 'nobody:kill@3s'],
      ['walk'],
    ];
    for (const { code, output } of await Promise.all(wrong.map((args) => runLab(folder, args)))) {
      assert.equal(code, 1, output);
      assert.match(output, /error/);
    }
  });

  test('more users than open files allow are refused, naming the limit', async () => {
    const { code, output } = await runLab(folder, ['run', 'auth', '--users', '100000000']);
    assert.equal(code, 1);
    assert.match(output, /RLIMIT_NOFILE.*ulimit -n 100000064/);
  });

  test('an interrupt ends a run within two seconds, with the results so far, and the run is invalid', async () => {
    const { code, secondsAfterStop, result } = await load('right', ['--duration', '60s'], { stopAfterMs: 2000 });
    assert.ok(secondsAfterStop < 2, `took ${secondsAfterStop} s`);
    assert.equal(result.ended, 'interrupted');
    assert.ok(result.whole.total.requests > 0);
    assert.equal(code, 3);
  });
});
