import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { busyRemark } from './capacity.ts';
import { watchOthers } from './watch-others.ts';

const noStat = existsSync('/proc/stat') ? false : 'this system has no /proc/stat';

/** Uses a fifth of a second of CPU, and prints how much it used in all. */
const briefly = `
const used = () => process.cpuUsage().user + process.cpuUsage().system;
while (used() < 200_000);
console.log(used() / 1e6);`;

test('programs that go on are others; children that have ended are not', { skip: noStat }, async (t) => {
  const cores = availableParallelism();
  const others = Array.from({ length: cores }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  t.after(() => {
    for (const each of others) each.kill('SIGKILL');
  });
  const startMs = performance.now();
  const othersPercent = watchOthers();
  // So many that they get a large share of a machine that is busy with other tests, too.
  const ownSeconds = await Promise.all(
    Array.from({ length: 3 * cores }, async () => {
      const own = spawn(process.execPath, ['-e', briefly], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [[printed]] = (await Promise.all([once(own.stdout, 'data'), once(own, 'close')])) as [[Buffer], unknown];
      return Number(printed);
    }),
  );
  const percent = othersPercent() ?? Number.NaN;
  const seconds = cores * ((performance.now() - startMs) / 1000);
  const ownPercent = (100 * ownSeconds.reduce((sum, each) => sum + each, 0)) / seconds;
  assert.ok(percent > 3 && percent < 100 - ownPercent + 2, `${percent} % by others, ${ownPercent} % by children`);
});

test('the remark says how busy the machine was, and nothing of a quiet one', () => {
  assert.equal(busyRemark(34.2), '; measured while other programs used 34 % of the CPU: the true capacity is higher');
  assert.deepEqual([busyRemark(9), busyRemark(undefined)], ['', '']);
});
