import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { planFaults } from './plan.ts';
import { openTimeline } from './timeline.ts';

const sleeper = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
after(() => sleeper.kill('SIGKILL'));

const declared = {
  process: [`worker/2=${sleeper.pid}`],
  proxy: ['database=6432:127.0.0.1:5432'],
  command: ['start=echo a=b; echo c'],
};
const planned = (...fault: readonly string[]) => planFaults({ ...declared, fault }, 60).faults;

test('faults are read and put in order', () => {
  const read = planned('database:delay=50ms,up@0.5m', 'worker/2:kill@40s', 'start:run@41s', 'database:cut@500ms');
  assert.deepEqual(
    read.map(({ name, fault, atSeconds }) => [name, fault, atSeconds]),
    [
      ['database', 'cut', 0.5],
      ['database', 'delay=50ms,up', 30],
      ['worker/2', 'kill', 40],
      ['start', 'run', 41],
    ],
  );
});

test('what cannot happen is refused with a sentence that says what is allowed', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['worker/2', /write NAME:VERB@TIME/],
    ['worker/2:kill@40', /write NAME:VERB@TIME/],
    ['worker/3:kill@40s', /there is no "worker\/3"; declared are worker\/2, database, start/],
    ['worker/2:cut@40s', /a process cannot "cut"; it can kill, pause, resume/],
    ['database:kill@40s', /a proxy cannot "kill"; it can delay, cut, heal/],
    ['database:constructor@40s', /a proxy cannot "constructor"/],
    ['start:kill@40s', /a command cannot "kill"; it can run/],
    ['worker/2:run@40s', /a process cannot "run"/],
    ['start:run=twice@4s', /write run/],
    ['worker/2:kill@4s5m', /"4s5m" is no time/],
    ['worker/2:kill@60s', /the run ends after 60 s/],
    ['worker/2:kill=hard@4s', /write kill/],
    ['database:delay@4s', /write delay=Nms/],
    ['database:delay=70000ms@4s', /N up to 60000/],
    ['database:cut=sideways@4s', /write cut, cut=up, cut=down or cut=reset/],
  ];
  for (const [word, sentence] of refused)
    assert.throws(
      () => planned(word),
      (error: Error) => sentence.test(error.message) && error.message.startsWith('--fault'),
      word,
    );
  const declare =
    (process: readonly string[], proxy: readonly string[], command: readonly string[] = []) =>
    () =>
      planFaults({ process, proxy, command, fault: [] }, 60);
  assert.throws(declare(['worker'], []), /--process worker: write NAME=PID/);
  assert.throws(declare(['worker=1'], []), /1 holds no process id/);
  assert.throws(declare(['worker=no-such-file'], []), /ENOENT/);
  assert.throws(declare([], ['database=6432:5432']), /--proxy .*: write NAME=LISTENPORT/);
  assert.throws(declare([], ['database=0:host:70000']), /ports from 1 to 65535/);
  assert.throws(declare([], [], ['flush']), /--command flush: write NAME=SHELL COMMAND/);
  assert.throws(declare([], [], ['flush= ']), /write NAME=SHELL COMMAND/);
  assert.throws(declare([], ['a=1:h:1'], ['a=ls']), /"a" is declared twice/);
  assert.throws(declare([`a=${sleeper.pid}`], ['a=1:h:1']), /"a" is declared twice/);
});

test('a proxy whose port is taken refuses the run', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const plan = planFaults({ process: [], proxy: [`database=${port}:127.0.0.1:5432`], command: [], fault: [] }, 60);
  await assert.rejects(openTimeline(plan), /^Error: Cannot open a proxy: .*EADDRINUSE/);
  server.close();
});
