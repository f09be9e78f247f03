import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runLab, startNaive } from '../../../../tests/harness/lab.ts';

const folder = mkdtempSync(join(tmpdir(), 'catalytic-lab-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const gate = (...words: string[]) => runLab(folder, ['gate', ...words]);

const short = ['--scenario', 'auth', '--pairs', '2', '--block', '1s', '--rate', '200', '--users', '10'];

test('a candidate that accepts dead tokens fails, on the busiest machine too', async () => {
  await using good = await startNaive('--workers', '1');
  await using bad = await startNaive('--workers', '2', '--close');
  const { code, output } = await gate('--baseline', good.url, '--candidate', bad.url, ...short);
  assert.match(output, /FAIL: the candidate accepted a dead token \d+ times/);
  assert.equal(code, 2);
});

test('the same on both sides is not a failure; what is missing is named', async () => {
  await using one = await startNaive('--workers', '1');
  const { code, output } = await gate('--baseline', one.url, '--candidate', one.url, ...short);
  assert.match(output, /(PASS|INCONCLUSIVE): /);
  assert.ok(code === 0 || code === 3, output);
  const nothing = await gate('--baseline', one.url);
  assert.equal(nothing.code, 1);
  assert.match(nothing.output, /name the candidate: --candidate URL, or --candidate-service COMMAND/);
});
