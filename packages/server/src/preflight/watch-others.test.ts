import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { busyRemark } from './capacity.ts';
import { watchOthers } from './watch-others.ts';

const noStat = existsSync('/proc/stat') ? false : 'this system has no /proc/stat';

/** Uses a core for a second, and prints how much of it the system gave. */
const second = 'for (const end = Date.now() + 1000; Date.now() < end; ); console.log(process.cpuUsage().user / 1e6)';

test('programs that go on are others; a child that has ended is not', { skip: noStat }, async (t) => {
  const cores = availableParallelism();
  const others = Array.from({ length: cores }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  t.after(() => {
    for (const each of others) each.kill('SIGKILL');
  });
  const startMs = performance.now();
  const othersPercent = watchOthers();
  const own = spawn(process.execPath, ['-e', second], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [[printed]] = (await Promise.all([once(own.stdout, 'data'), once(own, 'close')])) as [[Buffer], unknown];
  const percent = othersPercent() ?? Number.NaN;
  const ownPercent = (100 * Number(printed)) / (cores * ((performance.now() - startMs) / 1000));
  assert.ok(ownPercent > 5, `${ownPercent} % by the child`);
  assert.ok(percent > 10 && percent < 100 - ownPercent + 3, `${percent} % by others, ${ownPercent} % by the child`);
});

test('the remark says how busy the machine was, and nothing of a quiet one', () => {
  assert.equal(busyRemark(34.2), '; measured while other programs used 34 % of the CPU: the true capacity is higher');
  assert.deepEqual([busyRemark(9), busyRemark(undefined)], ['', '']);
});
