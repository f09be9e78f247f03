import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
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

/** A small service of somebody else that remembers who has called it. */
const startTarget = async (answerMs: number) => {
  const addresses = new Set<string>();
  let logins = 0;
  const server = createServer((request, response) => {
    request.resume();
    const { url = '' } = request;
    response.setHeader('content-type', 'application/json');
    if (url === '/auth/register') response.statusCode = 201;
    const isReady = url === '/health/ready';
    if (url.startsWith('/auth/')) addresses.add(request.socket.remoteAddress ?? '');
    const body = url === '/auth/login' ? { access_token: `t${logins++}`, expires_in: 900 } : {};
    setTimeout(() => response.end(JSON.stringify(body)), isReady || url === '/auth/login' ? 0 : answerMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, addresses };
};

const run = async (
  args: readonly string[],
  { answerMs = 0, ...stop }: LabStop & { readonly answerMs?: number } = {},
) => {
  const { url, server, addresses } = await startTarget(answerMs);
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const words = ['run', ...args, '--target', url, '--out', out];
  const ended = await runLab(folder, words, { ...stop, isGroup: true });
  server.closeAllConnections();
  server.close();
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  const validate = new Ajv2020().compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
  assert.ok(validate(result), JSON.stringify(validate.errors));
  assert.deepEqual(result.exceptions, [], ended.output);
  return { ...ended, result, addresses, markdown: readFileSync(`${out}.md`, 'utf8') };
};

const isBroken = ({ validity }: RunResult, part: string): boolean =>
  validity.some(({ rule, verdict }) => rule.includes(part) && verdict === 'broken');

// Side by side: each waits most of its time.
suite('models of load', { concurrency: 3 }, () => {
  test('open model: latency counts from the time a task should have begun, so a queue shows', async () => {
    const args = ['verify', '--rate', '20', '--users', '2', '--duration', '2s', '--failures', '100'];
    const { result } = await run(args, { answerMs: 250 });
    // Two users can do eight a second: the last of forty tasks waits for seconds, however fast its answer comes.
    assert.equal(result.whole.total.requests, 40);
    assert.ok((result.whole.total.max_ms ?? 0) > 2000, `${result.whole.total.max_ms} ms`);
    assert.equal(result.options.rate_per_second, 20);
    // Most are answered after the end: they are in a row of their own, so that the seconds hold all of them.
    assert.deepEqual(
      result.seconds.map(({ is_after_end }) => is_after_end),
      [undefined, undefined, true],
    );
    assert.equal(
      result.seconds.reduce((sum, { requests }) => sum + requests, 0),
      40,
    );
    assert.ok(
      result.whole.endpoints.every(({ name }) => name === '/auth/verify'),
      'logins came before and are not counted',
    );
  });

  test('stages decide how many users there are', async () => {
    const stages = ['--stage', 'users=12,duration=2s', '--stage', 'users=3,duration=2s,spawn-rate=50'];
    const { result, markdown } = await run(['verify', ...stages, '--spawn-rate', '50', '--wait', '0.05']);
    assert.match(markdown, /## Stages[^#]*\| 0 \| 2 \| 12 \| 50\.0 \| – \|\n\| 2 \| 4 \| 3 \| 50\.0 \| – \|/);
    const seconds = result.seconds.filter(({ is_after_end }) => is_after_end !== true);
    const users = seconds.map((second) => second.users);
    assert.equal(users.length, 4);
    assert.equal(Math.max(...users), 12);
    assert.equal(users.at(-1), 3);
    assert.equal(result.options.users, 12);
    assert.equal(result.options.duration_s, 4);
  });

  test('several processes load as one: every user once, from an address of its own', async () => {
    const args = [
      'verify',
      '--users',
      '9',
      '--spawn-rate',
      '100',
      '--wait',
      '0.05',
      '--duration',
      '3s',
      '--processes',
      '3',
      // Asked from an address of the lab's own.
      '--no-metrics',
    ];
    const { result, addresses, output } = await run(args);
    assert.equal(result.generator.users_started, 9);
    assert.equal(result.generator.connections_opened, 9);
    assert.equal(Math.max(...result.seconds.map(({ users }) => users)), 9, output);
    const counted = result.seconds.reduce((sum, { requests }) => sum + requests, 0);
    const { total } = result.whole;
    assert.ok(counted > 100, `${counted} requests`);
    assert.equal(counted, total.requests);
    assert.equal(total.real, 0);
    assert.equal(result.judged, 'steady');
    assert.equal(result.options.processes, 3);
    if (process.platform === 'linux')
      assert.deepEqual(
        [...addresses].toSorted(),
        Array.from({ length: 9 }, (_, index) => `127.1.0.${index + 1}`),
      );
  });

  test('an interrupt ends several processes within two seconds, with the results so far', async () => {
    const args = [
      'verify',
      '--users',
      '8',
      '--spawn-rate',
      '100',
      '--wait',
      '0.05',
      '--duration',
      '60s',
      '--processes',
      '2',
    ];
    const { code, result, secondsAfterStop } = await run(args, { stopAfterMs: 3000 });
    assert.ok(secondsAfterStop < 2, `took ${secondsAfterStop} s`);
    assert.equal(result.ended, 'interrupted');
    const { requests } = result.whole.total;
    assert.ok(requests > 0);
    assert.equal(
      result.seconds.reduce((sum, second) => sum + second.requests, 0),
      requests,
    );
    assert.equal(code, 3);
    assert.ok(isBroken(result, 'left out'));
  });

  test('a clock that is set back changes no time in any file', async () => {
    const file = join(folder, 'clock.ts');
    writeFileSync(
      file,
      `import { constant, defineScenario } from '@catalytic/lab/scenario';
       const real = Date.now;
       const setBack = (): number => real() - 3_600_000;
       const { Date: RealDate } = globalThis;
       export default defineScenario({ name: 'clock', wait: constant(0.05),
         hooks: { spawningComplete: () => {
           Date.now = setBack;
           globalThis.Date = class extends RealDate { constructor(...when) { super(...(when.length === 0 ? [setBack()] : when)); } };
         } },
         tasks: [{ name: 'a', run: async (user) => { await user.get('/x', { ok: [404] }); } }] });`,
    );
    const { result } = await run([
      file,
      '--users',
      '2',
      '--spawn-rate',
      '100',
      '--duration',
      '2s',
      '--failures',
      '100',
    ]);
    const start = Date.parse(result.started_at) / 1000;
    assert.ok(result.whole.total.real > 20 && result.errors.length > 0);
    const times = [
      ...result.history.map(({ unix_s }) => unix_s),
      ...result.seconds.map(({ unix_s }) => unix_s),
      ...result.errors.flatMap(({ first_seen_unix_s: first, last_seen_unix_s: last }) => [first, last]),
    ];
    assert.ok(
      times.every((seconds) => seconds >= start - 1 && seconds <= start + 4),
      `${times} from ${start} on`,
    );
  });

  test('a target behind a proxy of the lab is measured itself', { skip: process.platform !== 'linux' }, async () => {
    const { url, server } = await startTarget(0);
    const { port } = new URL(url);
    const between = createServer().listen(0, '127.0.0.1');
    await once(between, 'listening');
    const free = (between.address() as AddressInfo).port;
    await new Promise((resolve) => between.close(resolve));
    const out = join(mkdtempSync(join(folder, 'run-')), 'result');
    const proxy = ['--proxy', `svc=${free}:127.0.0.1:${port}`, '--target', `http://127.0.0.1:${free}`];
    await runLab(folder, ['run', 'verify', '--users', '1', '--duration', '1s', ...proxy, '--out', out]);
    server.closeAllConnections();
    server.close();
    const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
    assert.equal(result.target_process?.pid, process.pid);
    assert.equal(result.target, `http://127.0.0.1:${free}`);
  });

  test('more starts than can be planned are refused before anything is sent', async () => {
    const { url, server } = await startTarget(0);
    let asked = 0;
    server.on('connection', () => {
      asked += 1;
    });
    const { code, output } = await runLab(folder, [
      'run',
      'verify',
      '--rate',
      '500',
      '--duration',
      '24h',
      '--target',
      url,
    ]);
    server.close();
    assert.equal(code, 1, output);
    assert.match(output, /Cannot plan 43,200,000 starts: .*; lower the rate or the duration/);
    assert.equal(asked, 0);
  });

  test('a fault of a custom scenario makes the run invalid and is told with its count', async () => {
    const file = join(folder, 'faulty.ts');
    writeFileSync(
      file,
      `import { constant, defineScenario } from '@catalytic/lab/scenario';
       export default defineScenario({ name: 'faulty', wait: constant(0.1), tasks: [{ name: 'a', run: async (user) => {
         await user.get('/x');
         user.check('never declared', true);
       } }] });`,
    );
    await assert.rejects(run([file, '--users', '1', '--duration', '1s']), /Cannot count the check/);
  });
});
