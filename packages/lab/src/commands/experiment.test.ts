import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { runLab } from '../../../../tests/harness/lab.ts';
import type { RunResult } from '../results/result.ts';

const folder = mkdtempSync(join(tmpdir(), 'catalytic-lab-test-'));

/** Row of a table whose first cells are these: the rest of its cells. */
const cellsAfter = (report: string, ...first: readonly string[]): readonly string[] => {
  const line = report.split('\n').find((each) => each.startsWith(`| ${first.join(' | ')} |`));
  assert.ok(line !== undefined, `no row ${first.join(', ')} in\n${report}`);
  return line
    .split('|')
    .map((cell) => cell.trim())
    .slice(first.length + 1, -1);
};

suite('catalytic-lab experiment', { concurrency: true }, () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('Ctrl-C ends the run, what was started for it and the experiment, and leaves the report so far', async () => {
    const out = join(folder, 'week3');
    const words = ['experiment', 'week3', '--quick', '--only', '2b-2,3', '--out', out];
    const { code, output, secondsAfterStop } = await runLab(folder, words, { stopAfterMs: 9500, isGroup: true });
    assert.ok(secondsAfterStop < 4, `took ${secondsAfterStop} s\n${output}`);
    assert.doesNotMatch(output, /2 of 2/);
    const result = JSON.parse(readFileSync(`${out}-2b-2.json`, 'utf8')) as RunResult;
    assert.equal(result.ended, 'interrupted');
    assert.equal(code, 3);
    await assert.rejects(fetch(result.target), 'what was started for the phase has ended');

    const report = readFileSync(`${out}.md`, 'utf8');
    const naive = 'shares nothing, 4 processes';
    const [requests] = cellsAfter(report, '2b-2', 'auth, 250 users', naive);
    assert.ok(Number(requests?.replaceAll(',', '')) > 100, `${requests} requests`);
    const [refused, refusedShare, accepted, acceptedShare, other] = cellsAfter(report, '2b-2', naive);
    assert.deepEqual([refused, refusedShare, other], ['0', '0.00 %', '0.00 %']);
    assert.ok(Number(accepted) > 0, `${accepted} accepted`);
    // Of four processes three do not know of a sign-out.
    const share = Number.parseFloat(acceptedShare ?? '');
    assert.ok(share > 25 && share <= 100, `${share} %`);
  });

  test('a phase that lacks its database is told as not measured', async () => {
    const out = join(folder, 'lacking');
    const { code, output } = await runLab(folder, ['experiment', 'week3', '--quick', '--only', '4b', '--out', out]);
    assert.match(output, /Not measured: it needs an empty PostgreSQL database \(--database-url\)/);
    const [requests] = cellsAfter(readFileSync(`${out}.md`, 'utf8'), '4b', 'auth, 500 users', 'the service, 4 workers');
    assert.equal(requests, 'not measured');
    assert.equal(code, 6, 'an experiment of which nothing could be run has shown nothing');
  });

  test('an experiment goes on where it ended', async () => {
    const out = join(folder, 'resumed');
    const words = ['experiment', 'week3', '--quick', '--only', '2b-1', '--out', out];
    await runLab(folder, words);
    const first = readFileSync(`${out}-2b-1.json`, 'utf8');
    const { output } = await runLab(folder, [...words, '--resume']);
    assert.match(output, /1 of 1: .*: measured before/);
    assert.equal(readFileSync(`${out}-2b-1.json`, 'utf8'), first, 'it was not run again');
    const [refused, , accepted] = cellsAfter(readFileSync(`${out}.md`, 'utf8'), '2b-1', 'shares nothing, 4 processes');
    assert.deepEqual([refused, accepted], ['0', '0'], 'a user that keeps its connection meets one process');
  });

  test('who ends at once takes along what it has started', async () => {
    const module = new URL('../launch/process-group.ts', import.meta.url).href;
    const script = `import { spawnGroup } from '${module}';
      const child = spawnGroup('sh', ['-c', 'sleep 300 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'inherit'] });
      child.stdout.once('data', (pid) => process.stdout.write(pid, () => process.exit(0)));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [pid] = (await once(child.stdout, 'data')) as [Buffer];
    await once(child, 'exit');
    const sleeper = Number(pid.toString());
    const isThere = (): boolean => {
      try {
        // A process that has ended and that nobody has taken note of is still listed.
        return !readFileSync(`/proc/${sleeper}/stat`, 'utf8').includes(') Z ');
      } catch {
        return false;
      }
    };
    for (let looks = 0; looks < 50 && isThere(); looks++) await delay(20);
    const isLeft = isThere();
    if (isLeft) process.kill(sleeper, 'SIGKILL');
    assert.ok(!isLeft, `process ${sleeper} still runs`);
  });
});
