import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { folderIn } from '../../../../tests/harness/service.ts';
import { treeOf } from '../containment/process-tree.ts';
import { CommandUnderFault } from './command-under-fault.ts';
import { planFaults } from './plan.ts';
import { openTimeline } from './timeline.ts';

const folder = folderIn({ after });

const until = async (isSo: () => boolean): Promise<void> => {
  for (const deadline = performance.now() + 5000; !isSo(); await sleep(5))
    assert.ok(performance.now() < deadline, 'not within 5 s');
};
const runs = (pid: number): boolean => treeOf(pid).length > 0;
const pidIn = (file: string): number => Number(readFileSync(join(folder, file), 'utf8'));

/** A command that writes the id of a child that sleeps, and waits for it. */
const sleeping = (file: string): string => `sleep 60 & echo $! > ${join(folder, file)}; wait`;
const isWritten = (file: string): boolean => {
  try {
    return pidIn(file) > 1;
  } catch {
    return false;
  }
};

test('a command runs without blocking, and what it leaves in the background is neither waited for nor ended', async () => {
  const command = new CommandUnderFault(`sleep 30 & echo $! > ${join(folder, 'left')}; sleep 0.3`);
  const startMs = performance.now();
  let turns = 0;
  const turning = setInterval(() => {
    turns += 1;
  }, 10);
  await command.run();
  clearInterval(turning);
  const tookMs = performance.now() - startMs;
  assert.ok(tookMs > 250 && tookMs < 5000, `${tookMs} ms`);
  assert.ok(turns > 5, `${turns} turns of the event loop`);
  command.undo();
  assert.ok(runs(pidIn('left')));
  process.kill(pidIn('left'), 'SIGKILL');
});

test('one that fails says its exit code and the last line of its output, shortened', async () => {
  await assert.rejects(new CommandUnderFault('echo first; echo "no such server" >&2; exit 3').run(), {
    message: 'ended with exit code 3: no such server',
  });
  await assert.rejects(new CommandUnderFault('exit 4').run(), { message: 'ended with exit code 4' });
  await assert.rejects(new CommandUnderFault('kill -9 $$').run(), { message: 'ended with SIGKILL' });
  const long = new CommandUnderFault('head -c 100000 /dev/zero | tr "\\0" x; exit 1').run();
  await assert.rejects(long, (error: Error) => error.message.length < 300 && error.message.endsWith('x…'));
});

test('one that takes too long is ended with all it has started, and so is one that still runs at the end', async () => {
  const late = new CommandUnderFault(sleeping('late'), 400).run();
  await assert.rejects(late, { message: 'took longer than 0.4 s and was ended' });
  await until(() => !runs(pidIn('late')));

  const command = new CommandUnderFault(sleeping('cut'));
  const ending = assert.rejects(command.run(), { message: 'still ran at the end of the run and was ended' });
  await until(() => isWritten('cut'));
  command.undo();
  await ending;
  await until(() => !runs(pidIn('cut')));
});

test('the timeline knows when a command began and when it was done, and tells both', async () => {
  const words = {
    process: [],
    proxy: [],
    command: ['slow=sleep 0.3', 'wrong=echo no >&2; exit 7', `endless=${sleeping('endless')}`],
    fault: ['slow:run@10ms', 'wrong:run@20ms', 'endless:run@30ms', 'slow:run@50s'],
  };
  const timeline = await openTimeline(planFaults(words, 60));
  const lines: string[] = [];
  const told: string[] = [];
  timeline.start({
    say: (line) => lines.push(line),
    began: (index) => told.push(`${index} began`),
    ended: (index, _atMs, isDone) => told.push(`${index} ${isDone ? 'done' : 'failed'}`),
  });
  await until(() => told.length === 5 && isWritten('endless'));
  await timeline.close();
  assert.deepEqual(told.toSorted(), ['0 began', '0 done', '1 began', '1 failed', '2 began', '2 failed']);
  assert.ok(told.indexOf('2 began') < told.indexOf('0 done'), 'faults do not wait for each other');
  const [slow, wrong, endless, never] = timeline.events;
  assert.ok((slow?.doneSeconds ?? 0) - (slow?.actualSeconds ?? 0) > 0.25);
  assert.equal(wrong?.error, 'ended with exit code 7: no');
  assert.equal(endless?.error, 'still ran at the end of the run and was ended');
  assert.deepEqual([never?.actualSeconds, never?.doneSeconds], [undefined, undefined]);
  assert.ok(lines.some((line) => / s {2}fault slow:run$/.test(line)));
  assert.ok(
    lines.some((line) => / s {2}fault slow:run took 0\.\d\d s$/.test(line)),
    lines.join('\n'),
  );
});
