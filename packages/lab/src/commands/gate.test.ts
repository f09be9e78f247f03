import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runLab, serviceCommand, startNaive } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';

const folder = folderIn({ after });

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

// As the help shows it: a line for a shell, not only one command.
const services = ['--baseline-service', `cd . && ${serviceCommand}`, '--candidate-service', serviceCommand];
/** What a started service leaves behind until it has been ended. */
const left = (): readonly string[] => globSync(join(folder, '*', 'catalytic-experiment-*'));

test('versions given as commands are started for each pair, and ended', async () => {
  const { code, output } = await gate(...services, ...short);
  assert.equal(code, 3, output);
  assert.match(output, /2 pairs show nothing, 6 are the least|pairs were disturbed/);
  assert.deepEqual(left(), []);
});

test('a version that does not start is said so with its words, and leaves nothing', async () => {
  const { code, output } = await gate(...services.slice(0, 2), '--candidate-service', 'echo no; exit 3', ...short);
  assert.equal(code, 1, output);
  assert.match(output, /Cannot compare: The target does not start:\nno/);
  assert.deepEqual(left(), []);
});

test('an interrupt ends a long block, and what was started', async () => {
  const { code, output, secondsAfterStop } = await runLab(
    folder,
    ['gate', ...services, '--block', '60s', '--rate', '50', '--users', '4'],
    { stopAfterMs: 3000, isGroup: true },
  );
  assert.equal(code, 3, output);
  assert.match(output, /INCONCLUSIVE: interrupted/);
  // Two starts on a busy machine, and none of the blocks of a minute.
  assert.ok(secondsAfterStop < 45, `${secondsAfterStop} s`);
  assert.deepEqual(left(), []);
});
