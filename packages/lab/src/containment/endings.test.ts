import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answerEmpty, httpServerIn } from '../../../../tests/harness/http-server.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import { waitUntil } from '../../../../tests/harness/wait-until.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const folder = folderIn({ after });
const server = await httpServerIn({ after }, answerEmpty);
const { url } = server;
writeFileSync(
  join(folder, 'plain.ts'),
  `import { constant, defineScenario } from '@catalytic/lab/scenario';
   export default defineScenario({ name: 'plain', wait: constant(0.05), tasks: [{ name: 'get', run: (user) => user.get('/') }] });`,
);

const stateOf = (pid: number | string | undefined): string =>
  /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';

/** Whether a process runs: one that has ended and that nothing has waited for is still listed. */
const isRunning = (pid: number | string): boolean => existsSync(`/proc/${pid}`) && !'ZX'.includes(stateOf(pid));

/** A run that has paused a process of ours, and started a command. */
const startRun = async (name: string, words: readonly string[] = []) => {
  const victim = spawn('sleep', ['300'], { stdio: 'ignore' });
  const pidFile = join(folder, `${name}.pid`);
  const faults = [
    ...['--process', `victim=${victim.pid}`, '--fault', 'victim:pause@300ms'],
    ...['--command', `hang=echo $$ > ${pidFile}; exec sleep 300`, '--fault', 'hang:run@200ms'],
  ];
  const load = ['plain.ts', '--target', url, '--users', '2', '--spawn-rate', '50', '--duration', '60s', '--plain'];
  const place = { cwd: folder, env: { PATH: process.env['PATH'], TMPDIR: mkdtempSync(join(folder, 'tmp-')) } };
  const lab = spawn(
    process.execPath,
    [main, ...(words[0] === 'capacity' ? [] : ['run', ...load, '--out', name]), ...words, ...faults],
    {
      ...place,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  for (const stream of [lab.stdout, lab.stderr])
    stream.on('data', (piece: Buffer) => {
      output += piece.toString();
    });
  const exit = once(lab, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const isBroken = (): boolean => stateOf(victim.pid) === 'T' && existsSync(pidFile);
  await waitUntil(`the run ${name}`, 'break things', 30_000, isBroken);
  const end = (): void => {
    victim.kill('SIGKILL');
    lab.kill('SIGKILL');
  };
  const isUndone = (): void => {
    assert.notEqual(stateOf(victim.pid), 'T', `${name}: the process was left paused\n${output}`);
    assert.ok(!isRunning(readFileSync(pidFile, 'utf8').trim()), `${name}: the command was left running`);
  };
  return { lab, victim, exit, end, isUndone, output: () => output };
};

const filesOf = (name: string): number =>
  readdirSync(folder)
    .filter((file) => file.startsWith(`${name}.`) || file.startsWith(`${name}_`))
    .filter((file) => !file.endsWith('.pid')).length;
const filesOfRun = 8;

suite('every ending undoes the faults', {
  concurrency: 3,
  skip: process.platform !== 'linux' && 'looks into /proc',
}, () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const)
    test(`${signal} ends a run with its files`, async () => {
      const run = await startRun(signal);
      try {
        run.lab.kill(signal);
        assert.deepEqual(await run.exit, [3, null], run.output());
        run.isUndone();
        assert.equal(filesOf(signal), filesOfRun);
      } finally {
        run.end();
      }
    });

  test('a second signal ends it at once', async () => {
    const run = await startRun('second');
    try {
      run.lab.kill('SIGHUP');
      run.lab.kill('SIGTERM');
      assert.deepEqual(await run.exit, [3, null]);
      run.isUndone();
      assert.equal(filesOf('second'), 0);
    } finally {
      run.end();
    }
  });

  test('so does a signal to a run of several processes, which end, too', async () => {
    const run = await startRun('several', ['--processes', '2']);
    try {
      const children = childrenOf(run.lab);
      assert.ok(children.length >= 2);
      // As a terminal that is closed does it: all of them hear it.
      for (const pid of [...children, run.lab.pid ?? 0]) process.kill(pid, 'SIGHUP');
      assert.deepEqual(await run.exit, [3, null], run.output());
      run.isUndone();
      assert.equal(filesOf('several'), filesOfRun);
      assert.doesNotMatch(run.output(), /Generator process/);
      for (const pid of children) assert.ok(!isRunning(pid), 'a generator was left');
    } finally {
      run.end();
    }
  });

  test('a reader that goes away, and a folder that is removed, keep no file from being written', async () => {
    const run = await startRun('gone/result');
    try {
      run.lab.stdout.destroy();
      run.lab.stderr.destroy();
      rmSync(join(folder, 'gone'), { recursive: true });
      run.lab.kill('SIGTERM');
      const [code] = (await once(run.lab, 'exit')) as [number];
      assert.equal(code, 3);
      assert.equal(readdirSync(join(folder, 'gone')).length, filesOfRun);
    } finally {
      run.end();
    }
  });

  test('a second signal to a search for capacity ends its run in order', async () => {
    const search = [
      'capacity',
      'plain.ts',
      '--target',
      url,
      '--from',
      '2',
      '--step',
      '60s',
      '--spawn-rate',
      '20',
      '--out',
      'search',
    ];
    const run = await startRun('search', search);
    try {
      const children = childrenOf(run.lab);
      run.lab.kill('SIGINT');
      run.lab.kill('SIGTERM');
      assert.deepEqual(await run.exit, [3, null], run.output());
      const haveEnded = (): boolean => !children.some(isRunning);
      await waitUntil('the run of the search', 'end', 5000, haveEnded);
      run.isUndone();
    } finally {
      run.end();
    }
  });

  test('files that cannot be written are named, and the others are written', async () => {
    const run = await startRun('refused');
    try {
      // A folder stands where a file should: not even root can write over it.
      mkdirSync(join(folder, 'refused.md', 'x'), { recursive: true });
      run.lab.kill('SIGTERM');
      assert.deepEqual(await run.exit, [3, null]);
      assert.match(run.output(), /Cannot write refused\.md: E\w+/);
      assert.ok(existsSync(join(folder, 'refused.json')) && existsSync(join(folder, 'refused.html')));
      assert.ok(!readdirSync(folder).some((file) => file.endsWith('.part')));
    } finally {
      run.end();
    }
  });
});

const childrenOf = ({ pid }: ChildProcess): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
