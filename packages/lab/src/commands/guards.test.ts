import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { httpServerIn } from '../../../../tests/harness/http-server.ts';
import { type LabEnd, runLab, startManyWorkers } from '../../../../tests/harness/lab.ts';
import { folderIn, freePort } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const fileOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const schema = JSON.parse(readFileSync(fileOf('../results/result.schema.json'), 'utf8')) as object;
const folder = folderIn({ after });

/** Runs the lab against three processes behind one port, beside guarded APIs. */
const load = async (scenario: string, ...args: readonly string[]) => {
  await using service = await startManyWorkers('right');
  const out = join(mkdtempSync(join(folder, 'run-')), 'result');
  const users = ['--users', '6', '--spawn-rate', '100', '--duration', '2s', '--wait', '0.05-0.15'];
  const words = ['run', scenario, '--target', service.url, '--out', out, ...users, ...args];
  const { code, output } = await runLab(folder, words);
  const result = JSON.parse(readFileSync(`${out}.json`, 'utf8')) as RunResult;
  const validate = new Ajv2020().compile(schema);
  assert.ok(validate(result), JSON.stringify(validate.errors));
  return { code, output, result, apis: result.guards?.apis ?? [] };
};

/** An API that gives one answer to every request. */
const answerIn = async (t: TestContext, status: number): Promise<string> =>
  (await httpServerIn(t, (_request, response) => void response.writeHead(status).end())).url;

suite('catalytic-lab run --guard', { concurrency: 2 }, () => {
  test('a guard that refuses live tokens is guilty; one that has no verdict is not', async (t) => {
    const words = ['--guard', await answerIn(t, 401), '--guard', `ask=${await answerIn(t, 503)}`];
    const { code, output, result, apis } = await load('revocation', ...words);
    assert.equal(code, 4, output);
    assert.match(output, /\(ask\); it answers 503, the run goes on/);
    const [refusing = assert.fail(), away = assert.fail()] = apis;
    assert.ok(refusing.live.refused > 0 && refusing.violations === 0);
    assert.equal(refusing.live.refused, result.consistency.violations);
    assert.equal(result.consistency.timelines[0]?.rule, 'live token refused by a guard');
    assert.ok(away.live.unavailable > 0 && away.dead.unavailable > 0);
    assert.equal(away.violations + away.live.refused, 0);
  });

  test('what is no guarded API is refused before the load with the remedy', async (t) => {
    const closed = `http://127.0.0.1:${await freePort()}/`;
    const open = await answerIn(t, 204);
    const lost = await answerIn(t, 404);
    await using service = await startManyWorkers('right');
    const asked = (url: string): Promise<LabEnd> =>
      runLab(folder, ['run', 'mixed', '--target', service.url, '--duration', '1s', '--guard', url]);
    for (const [url, code, sentence] of [
      [closed, 5, /Cannot reach the guarded API .*: connection refused; start the API/],
      [open, 1, /answers 204 without one, so no guard stands before it; guard this route/],
      [lost, 1, /answers 404 without one, and a guard answers 401; name a guarded route/],
    ] as const) {
      const ended = await asked(url);
      assert.equal(ended.code, code, ended.output);
      assert.match(ended.output, sentence);
    }
  });
});
