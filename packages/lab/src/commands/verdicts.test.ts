import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { httpServerIn } from '../../../../tests/harness/http-server.ts';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const schemaFile = fileURLToPath(new URL('../results/result.schema.json', import.meta.url));
const isResult = new Ajv2020().compile(JSON.parse(readFileSync(schemaFile, 'utf8')) as object);
const folder = folderIn({ after });

/** A service that is right at `/right` and wrong at anything else. */
const server = await httpServerIn({ after }, (request, response) => {
  request.resume();
  if (request.url !== '/right') response.statusCode = 500;
  response.end('{}');
});
const { url } = server;

const scenario = (name: string, path: string, more = ''): string => {
  const file = join(folder, `${name}.ts`);
  writeFileSync(
    file,
    `import { constant, defineScenario } from '@catalytic/lab/scenario';
     export default defineScenario({ name: '${name}', wait: constant(0.05), checks: ['right', 'never'],
       metrics: { asked: 'counter' }, ${more}
       tasks: [{ name: 'ask', run: async (user) => {
         const { status } = await user.get('${path}');
         user.check('right', status === 200);
         user.count('asked');
       } }] });`,
  );
  return file;
};

const run = async (file: string, ...words: string[]) => {
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const few = ['--users', '4', '--spawn-rate', '100', '--target', url, '--out', out];
  const { code, output } = await runLab(folder, ['run', file, ...few, ...words]);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  assert.ok(isResult(result), JSON.stringify(isResult.errors));
  assert.equal(result.exit_code, code);
  return { code, output, result, out, verdict: (criterion: string) => verdictOf(result, criterion) };
};

const verdictOf = ({ verdicts }: RunResult, criterion: string): string | undefined =>
  verdicts.find((each) => each.criterion.startsWith(criterion))?.verdict;

/** On a busy machine a run is invalid, whatever else is said of it. */
const isCode = (code: number | null, expected: number): boolean => code === expected || code === 3;

suite('the verdict of a run', { concurrency: true }, () => {
  test('fails a service that answers nothing but errors, though the scenario asks for nothing', async () => {
    const { code, output, verdict, result, out } = await run(scenario('all-wrong', '/wrong'), '--duration', '2s');
    assert.equal(verdict('real failures, %'), 'failed', output);
    assert.ok(isCode(code, 2), output);
    assert.equal(result.verdicts.length, 1, 'no logout was answered, so that nothing is said of logouts');
    const junit = readFileSync(`${out}_junit.xml`, 'utf8');
    assert.match(junit, code === 2 ? /<failure message="100/ : /<skipped message="the run may not be believed; 100/);
  });

  test('is no pass when a criterion had nothing to be judged by, and says what is missing', async () => {
    const asked = `criteria: { p50MsMax: 10000, p95MsMax: 500, checks: { never: { failedPercentMax: 0 } } },`;
    const single = ['--criterion', 'endpoint GET /nowhere: p95=10', '--criterion', 'counter asked: min=1'];
    const { code, output, verdict } = await run(scenario('unjudged', '/right', asked), '--duration', '2s', ...single);
    assert.ok(isCode(code, 6), output);
    assert.equal(verdict('real failures, %'), 'passed', output);
    assert.equal(verdict('counter "asked"'), 'passed', output);
    assert.match(output, /– p95, ms: not judged: \d+ samples, 200 are needed: use a longer run or more users/);
    assert.match(output, /– check "never": failed, % \(whole run\): not judged: it never ran/);
    assert.match(output, /– GET \/nowhere: p95, ms: not judged: .* counted were GET \/right/);
    if (code === 6) assert.match(output, /NOT JUDGED, NOTHING IS PROVEN {2}\(exit code 6\)/);
  });

  test('is no pass when everything was switched off', async () => {
    const { code, output, result } = await run(
      scenario('asks-nothing', '/right'),
      '--duration',
      '1s',
      '--failures',
      'none',
    );
    assert.deepEqual(result.verdicts, []);
    assert.ok(isCode(code, 6), output);
    assert.match(output, /the run was asked to keep nothing/);
  });

  test('counts the checks of all processes', async () => {
    const checks = ['--criterion', 'check right: failed=0', '--criterion', 'check never: failed=none'];
    const words = ['--duration', '2s', '--processes', '2', ...checks];
    const { code, output, verdict, result } = await run(scenario('processes', '/right'), ...words);
    assert.equal(verdict('check "right"'), 'passed', output);
    assert.equal(verdict('check "never"'), undefined);
    assert.deepEqual(result.criteria.single, [{ of: 'check', name: 'right', measure: 'failed', limit: 0 }]);
    assert.ok(isCode(code, 0), output);
  });

  for (const processes of ['1', '2'])
    test(`ends the run early when a criterion is beyond saving, with ${processes} processes`, async () => {
      const began = performance.now();
      const early = ['--abort-when', 'any', '--failures', '20', '--processes', processes];
      const file = scenario(`early-${processes}`, '/wrong');
      const { code, output, result, verdict } = await run(file, '--duration', '40s', ...early);
      assert.equal(result.ended, 'aborted', output);
      assert.equal(result.aborted_by, 'failures');
      // Far from its end, however long the processes took to start on a busy machine.
      assert.ok(performance.now() - began < 36_000);
      const ranSeconds = result.whole.to_s;
      assert.ok(ranSeconds >= 5 && ranSeconds < 25, `${ranSeconds} s`);
      assert.equal(verdict('real failures, %'), 'failed');
      assert.equal(result.validity.find(({ rule }) => rule.startsWith('duration left out'))?.verdict, 'kept');
      assert.ok(isCode(code, 2), output);
      assert.match(output, /ended early by --abort-when: failures was beyond saving/);
    });

  test('is waited for when what is to come may still save it', async () => {
    // For three seconds all is wrong: when it is looked at first, more than half of what was asked, and in the end less.
    const file = join(folder, 'late.ts');
    writeFileSync(
      file,
      `import { constant, defineScenario } from '@catalytic/lab/scenario';
       export default defineScenario({ name: 'late', wait: constant(0.05), tasks: [{ name: 'ask', run: (user) => {
         user.state['since'] ??= performance.now();
         return user.get(performance.now() - Number(user.state['since']) < 3000 ? '/wrong' : '/right', { name: '/x' });
       } }] });`,
    );
    const { output, result, verdict } = await run(file, '--duration', '8s', '--failures', '50', '--abort-when', 'any');
    assert.equal(result.ended, 'completed', output);
    assert.equal(verdict('real failures, %'), 'passed', output);
  });
});
