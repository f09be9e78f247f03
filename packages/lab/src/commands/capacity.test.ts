import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runLab, startNaive } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { Capacity } from '../capacity/find-capacity.ts';

const folder = folderIn({ after });

const capacity = (...words: string[]) => runLab(folder, ['capacity', 'verify', ...words]);

test('each step is a run with more users, and the report has all of them', async () => {
  await using target = await startNaive('--workers', '1');
  const { code, output } = await capacity(
    ...['--target', target.url, '--from', '2', '--users-max', '8', '--step', '2s', '--spawn-rate', '20'],
    ...['--wait', '0.2-0.2', '--out', 'found', '--seed', 'test'],
  );
  // On the busiest machine eight users may be too many.
  assert.ok(code === 0 || code === 3, output);
  assert.match(output, /step 1: 2 users, about \d+ s/);
  const found = JSON.parse(readFileSync(join(folder, 'found.json'), 'utf8')) as Capacity;
  assert.equal(found.ended, 'completed');
  assert.deepEqual(
    found.steps
      .slice(0, 3)
      .map(({ users }) => users)
      .toSorted((a, b) => a - b)
      .slice(0, 2),
    [2, 4],
  );
  for (const { throughput, users, isSteady } of found.steps) {
    assert.ok(isSteady);
    assert.ok(throughput > 0 && throughput <= users * 5.2, `${users} users that wait 0.2 s ask for 5 a second at most`);
  }
  const report = readFileSync(join(folder, 'found.md'), 'utf8');
  assert.match(report, /^# Capacity for verify/);
  assert.match(report, /--users-max 8/);
  assert.match(report, /## Limits in each step/);
});

test('what a step decides itself is refused, and so is what no run knows', async () => {
  const own = await capacity('--users', '5');
  assert.deepEqual([own.code, /--users is what each step decides itself/.test(own.output)], [1, true], own.output);
  const unknown = await capacity('--spwan', '5', '--spawn-rate', '10');
  assert.deepEqual([unknown.code, /unknown option '--spwan'/.test(unknown.output)], [1, true], unknown.output);
});
