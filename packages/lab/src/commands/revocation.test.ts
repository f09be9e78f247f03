import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { runLab, startManyWorkers } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const schema = JSON.parse(readFileSync(fileOf('../results/result.schema.json'), 'utf8')) as object;
const folder = folderIn({ after });

/** Runs the lab against three processes behind one port. */
const load = async (scenario: string, behaviour: string, args: readonly string[]) => {
  await using service = await startManyWorkers(behaviour);
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const { code, output } = await runLab(folder, ['run', scenario, '--target', service.url, '--out', out, ...args]);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  const validate = new Ajv2020().compile(schema);
  assert.ok(validate(result), JSON.stringify(validate.errors));
  return { code, output, result, markdown: readFileSync(`${out}.md`, 'utf8') };
};

const short = ['--users', '10', '--spawn-rate', '100', '--duration', '3s', '--wait', '0.05-0.15'];
const closed = [...short, '--probe-every', '3'];
/** What was measured may be invalid, or too few samples, on a busy machine; a promise may not be broken on any. */
const isPassedOrInvalid = (code: number | null): boolean => code === 0 || code === 3 || code === 6;

suite('catalytic-lab run, several workers', { concurrency: 2 }, () => {
  test('every dead token is tried on every worker, and one that holds its promise passes', async () => {
    const { code, output, result, markdown } = await load('revocation', 'right', closed);
    assert.ok(isPassedOrInvalid(code), output);
    assert.match(output, /Found 3 workers: test\/1\//);
    assert.equal(result.revocation?.asked, 'workers');
    assert.equal(result.revocation?.workers.length, 3);
    assert.equal(Object.keys(result.whole.requests_by_worker).length, 3);
    assert.ok(result.consistency.dead_checks >= 3 * result.logouts.completed, 'each logout was checked three times');
    assert.equal(result.consistency.violations, 0);
    assert.equal(result.whole.total.real, 0, output);
    const { logout, rejection, propagation } = result.revocation ?? assert.fail();
    assert.ok(rejection.count > 20 && propagation.count > 5 && propagation.count < logout.count);
    assert.ok(rejection.max_ms > 0 && (propagation.percentiles_ms['50'] ?? 0) > 0);
    assert.match(markdown, /first refusal on the slowest worker/);
  });

  test('workers that lag behind the promise are found, with a timeline that names them', async () => {
    const { code, output, result } = await load('revocation', 'lags', closed);
    assert.equal(code, 4, output);
    assert.ok(result.consistency.violations > 0);
    const [first] = result.consistency.timelines;
    assert.equal(first?.rule, 'accepted after promise');
    const answers = first?.events.filter(({ what }) => what === 'verify answered 200') ?? [];
    assert.ok(answers.length > 0 && answers.every(({ worker }) => worker?.startsWith('test/')));
    assert.match(output, /verify answered 200 {2}test\//);
    assert.ok((result.revocation?.propagation.percentiles_ms['50'] ?? 0) > 100, 'the probe sees the lag');
  });

  test('a 202 is judged from the end of its time on, and fails the run by its number alone', async () => {
    const { code, output, result } = await load('revocation', 'pending', closed);
    assert.ok(code === 2 || code === 3, output);
    assert.ok(result.logouts.pending > 0);
    assert.equal(result.consistency.violations, 0, output);
    assert.ok(result.consistency.dead_checks > 0);
    assert.equal(result.revocation?.rejection.count, 0);
    assert.equal(result.verdicts.find(({ criterion }) => criterion.includes('202'))?.verdict, 'failed');
  });

  test('workers that are replaced during a run are found again', async () => {
    const { code, output, result } = await load('revocation', 'replaces', [
      ...closed,
      '--duration',
      '5s',
      '--timeout',
      '3s',
    ]);
    assert.notEqual(code, 4, output);
    assert.deepEqual(result.exceptions, []);
    assert.ok(Object.keys(result.whole.requests_by_worker).length > 3, output);
    assert.ok(result.consistency.dead_checks > result.logouts.completed);
  });

  test('in the open model logouts start at their times, and latencies count from there', async () => {
    const { code, output, result } = await load('revocation', 'right', [
      ...['--users', '8', '--logouts-per-second', '40', '--duration', '4s', '--sessions', '100'],
    ]);
    assert.ok(isPassedOrInvalid(code), output);
    assert.match(output, /Signed in 100 of 100 sessions/);
    assert.equal(result.logouts.completed, 100);
    assert.equal(result.options.duration_s, 2.5);
    assert.equal(result.options.logouts_per_second, 40);
    assert.equal(result.little, null);
    assert.equal(result.validity.find(({ rule }) => rule === 'dropped starts')?.measured, 0);
  });

  test('mixed: refreshes of a signed-out session are expected refusals, nothing fails', async () => {
    const { code, output, result } = await load('mixed', 'right', [...short, '--seed', 'mixed']);
    assert.ok(isPassedOrInvalid(code), output);
    assert.equal(result.whole.total.real, 0, output);
    assert.ok(result.consistency.rotations > 0);
    assert.equal(result.revocation, null);
    assert.ok(result.verdicts.some(({ criterion }) => criterion === 'real failures of POST /auth/refresh, %'));
  });

  test('the open model is refused where there is nothing to sign out', async () => {
    const { code } = await runLab(folder, ['run', 'mixed', '--logouts-per-second', '5']);
    assert.equal(code, 1);
  });
});
