import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { startHttpServer } from '../../../../tests/harness/http-server.ts';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const folder = folderIn({ after });

/** A service that counts what it is asked; `/fails` fails. */
const startCounter = async () => {
  let asked = 0;
  const server = await startHttpServer((request, response) => {
    if (request.url?.startsWith('/task') === true) asked += 1;
    response.statusCode = request.url === '/task/fails' ? 500 : 200;
    setTimeout(() => response.end(), 5);
  });
  return { ...server, asked: () => asked };
};

/** Runs two generators; the second does something to itself after two seconds. */
const runTwo = async (name: string, deed: string) => {
  const file = join(folder, `${name}.ts`);
  writeFileSync(
    file,
    `import { spawn } from 'node:child_process';
     import { constant, defineScenario } from '@catalytic/lab/scenario';
     export default defineScenario({
       name: '${name}', wait: constant(0.02), checks: ['answers'], metrics: { answers: 'counter' },
       hooks: { testStart: ({ process: number }) => { if (number === 1) setTimeout(() => { ${deed} }, 2300); } },
       tasks: [{ name: 'a', run: async (user) => {
         const { status } = await user.get(user.random() < 0.2 ? '/task/fails' : '/task');
         user.check('answers', status !== 0);
         user.count('answers');
       } }],
     });`,
  );
  const target = await startCounter();
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const words = ['--users', '8', '--spawn-rate', '100', '--duration', '5s', '--processes', '2', '--no-metrics'];
  try {
    const end = await runLab(folder, ['run', file, ...words, '--target', target.url, '--out', out]);
    const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
    return { ...end, result, asked: target.asked() };
  } finally {
    target.close();
  }
};

const sumOf = <Key extends string>(rows: readonly Readonly<Record<Key, number>>[], key: Key): number =>
  rows.reduce((sum, row) => sum + row[key], 0);

/** Every total of a run says the same. */
const assertAddsUp = ({ whole, seconds, history, errors, own }: RunResult): void => {
  const { requests, real } = whole.total;
  assert.deepEqual(
    [sumOf(seconds, 'requests'), sumOf(whole.endpoints, 'requests'), history.at(-1)?.total_requests],
    [requests, requests, requests],
  );
  assert.deepEqual(
    [sumOf(seconds, 'real'), sumOf(errors, 'occurrences'), history.at(-1)?.total_failures],
    [real, real, real],
  );
  assert.equal(own?.counters['answers'], own?.checks[0]?.passed);
};

suite('generators that fail', { concurrency: 2 }, () => {
  test('one that is killed costs at most its unfinished second, and the run says which it was and how it ended', async () => {
    // From outside: a scenario that calls process.kill is stopped by the lab.
    const { code, output, result, asked } = await runTwo('killed', `spawn('kill', ['-KILL', String(process.pid)]);`);
    assert.equal(code, 3, output);
    assertAddsUp(result);
    const { requests } = result.whole.total;
    // 8 users ask some 37 times a second each; 4 of them were there for 2.3 s.
    const perSecond = requests / (4 * 5 + 4 * 2);
    assert.ok(asked - requests < 4 * perSecond * 1.5, `${asked} asked, ${requests} told`);
    assert.ok(requests > asked / 2);
    const [lost] = result.exceptions;
    assert.match(
      lost?.message ?? '',
      /^Generator process 2 \(process id \d+\) ended with SIGKILL: what it measured since its last full second is lost$/,
    );
    assert.match(output, /Generator process 2 \(process id \d+\) ended with SIGKILL; the run goes on/);
    assert.equal(result.generator.users_started, 8);
    assert.equal(Math.max(...result.seconds.map(({ users }) => users)), 8);
    assert.equal(result.seconds.find(({ t_s }) => t_s === 5)?.users, 4);
  });

  test('one that hangs for some seconds and goes on loses nothing, and nothing is counted twice', async () => {
    const hang = 'kill -STOP $PPID; sleep 1.4; kill -CONT $PPID';
    const { output, result, asked } = await runTwo('hung', `spawn('sh', ['-c', '${hang}'], { stdio: 'ignore' });`);
    assertAddsUp(result);
    assert.equal(result.whole.total.requests, asked, output);
    assert.deepEqual(result.exceptions, []);
    assert.equal(result.seconds.filter(({ is_after_end }) => is_after_end !== true).length, 5);
  });
});
