/**
 * The commands of `package.json` as people and process managers run them: through npm, which is the process that they
 * signal.
 * @module
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { treeOf } from '@catalytic/lab/process-tree';
import { get } from '../harness/client.ts';
import { needsPostgres, postgresIn } from '../harness/postgres.ts';
import { folderIn, freePort, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const startMsMax = 60_000;

/** A command that npm runs. */
interface NpmRun {
  readonly npm: ChildProcess;
  readonly output: () => string;
  /** Exit code and signal of npm. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

/** Runs npm in a process group apart, of which nothing is left after the test. */
const runNpm = (t: TestContext, words: readonly string[], settings: Readonly<Record<string, string>>): NpmRun => {
  const npm = spawn('npm', words, {
    cwd: repository,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...settings },
  });
  t.after(() => {
    try {
      process.kill(-Number(npm.pid), 'SIGKILL');
    } catch {
      // Nothing of the group is left.
    }
  });
  let output = '';
  for (const stream of [npm.stdout, npm.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  return { npm, output: () => output, ended: once(npm, 'exit') as Promise<[number | null, NodeJS.Signals | null]> };
};

const isAnswered = (url: string): Promise<boolean> =>
  get(`${url}/health/live`).then(
    () => true,
    () => false,
  );

const npmStart = async (
  t: TestContext,
  settings: Readonly<Record<string, string>> = {},
): Promise<NpmRun & { readonly url: string }> => {
  const port = String(await freePort());
  const run = runNpm(t, ['start'], { PORT: port, DATA_DIR: join(folderIn(t), 'data'), ...settings });
  const { output } = run;
  await waitUntil('The service', 'greet', startMsMax, () => output().includes('serves on'));
  return { ...run, url: `http://127.0.0.1:${port}` };
};

const stopLines = (text: string): number => text.split('"msg":"Stopping').length - 1;

suite('commands through npm', { concurrency: 2 }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    test(`"npm start" passes ${signal} on and ends as the service ends`, async (t) => {
      const { npm, output, ended, url } = await npmStart(t);
      npm.kill(signal);
      assert.deepEqual(await ended, [0, null], output());
      assert.equal(await isAnswered(url), false);
      assert.equal(stopLines(output()), 1, output());
    });

  for (const signal of ['SIGHUP', 'SIGKILL'] as const)
    test(`"npm start" that ${signal} ends leaves no service behind`, async (t) => {
      const { npm, output, ended, url } = await npmStart(t);
      npm.kill(signal);
      await ended;
      await waitUntil('The service', 'stop answering', 10_000, async () => !(await isAnswered(url)));
      await waitUntil('The service', 'stop in order', 1000, () => stopLines(output()) === 1);
    });

  for (const signal of ['SIGTERM', 'SIGHUP'] as const)
    test(
      `"npm start" with workers on PostgreSQL leaves none of them behind after ${signal}`,
      needsPostgres(),
      async (t) => {
        const { url: databaseUrl } = await postgresIn(t);
        const { npm, output, ended } = await npmStart(t, {
          DATABASE_URL: databaseUrl,
          WORKERS: '2',
          DATABASE_POOL_SIZE: '4',
          DATABASE_MAX_OVERFLOW: '4',
        });
        const processes = treeOf(Number(npm.pid)).filter(({ pid }) => pid !== npm.pid);
        assert.ok(processes.length >= 3, 'a supervisor and two workers');
        npm.kill(signal);
        const [code] = await ended;
        if (signal === 'SIGTERM') assert.equal(code, 0, output());
        const isGone = ({ pid }: { readonly pid: number }): boolean => !existsSync(`/proc/${pid}`);
        await waitUntil('The processes', 'end', 15_000, () => processes.every(isGone));
      },
    );

  const stops: readonly (readonly [string, (pid: number) => void])[] = [
    ['SIGTERM', (pid) => process.kill(pid, 'SIGTERM')],
    // npm and the lab both get it, and npm passes its own on.
    ['Ctrl-C', (pid) => process.kill(-pid, 'SIGINT')],
  ];
  for (const [about, stop] of stops)
    test(`a run of the lab under npm ends at ${about} with its results, and leaves no load behind`, async (t) => {
      const { url, dataDir } = await serviceIn(t);
      const folder = folderIn(t);
      const out = join(folder, 'run');
      const words = ['run', 'lab', '--', 'run', 'auth', '--users', '2', '--duration', '60s', '--target', url];
      const ownFiles = ['--admin-key-file', join(dataDir, 'lab.key'), '--out', out];
      // The lock of measured runs is in the temporary folder.
      const { npm, output, ended } = runNpm(t, [...words, ...ownFiles], { TMPDIR: folder });
      const requests = async (): Promise<string> =>
        (await get(`${url}/metrics`)).text.match(/^catalytic_answers_total.*protected.*$/gm)?.join('\n') ?? '';
      await waitUntil('The lab', 'send load', startMsMax, async () => (await requests()) !== '');
      stop(Number(npm.pid));
      const [code] = await ended;
      assert.notEqual(code, null, 'the exit code is that of the lab');
      assert.ok(existsSync(`${out}.json`), output());
      const before = await requests();
      await delay(500);
      assert.equal(await requests(), before);
    });

  test('"npx" that SIGTERM ends leaves no service behind', async (t) => {
    const port = String(await freePort());
    const settings = { PORT: port, DATA_DIR: join(folderIn(t), 'data') };
    const { npm, output, ended } = runNpm(t, ['exec', '--no', '--', 'catalytic', 'serve'], settings);
    await waitUntil('The service', 'greet', startMsMax, () => output().includes('serves on'));
    npm.kill('SIGTERM');
    await ended;
    await waitUntil(
      'The service',
      'stop answering',
      10_000,
      async () => !(await isAnswered(`http://127.0.0.1:${port}`)),
    );
  });

  test('SIGUSR1 does not open the inspector of Node, neither in the service nor in its hashing process', async (t) => {
    const service = await serviceIn(t);
    const pid = Number(service.process.pid);
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
    assert.ok(children.length > 0, 'the hashing process');
    for (const one of [pid, ...children]) process.kill(one, 'SIGUSR1');
    await delay(500);
    assert.equal((await get(`${service.url}/health/live`)).status, 200);
    assert.doesNotMatch(service.output(), /Debugger/);
  });
});
