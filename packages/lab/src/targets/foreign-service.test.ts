import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, suite, test } from 'node:test';
import { startHttpServer } from '../../../../tests/harness/http-server.ts';
import { runLab } from '../../../../tests/harness/lab.ts';
import { folderIn } from '../../../../tests/harness/service.ts';
import type { RunResult } from '../results/result.ts';

const folder = folderIn({ after });
// A key lies ready, as after an "npm start" in this folder.
mkdirSync(join(folder, 'data'));
writeFileSync(join(folder, 'data', 'lab.key'), 'cak_the-key-of-catalytic');

const scenario = (more = ''): string => `import { constant, defineScenario } from '@catalytic/lab/scenario';
  export default defineScenario({ name: 'shop', wait: constant(0.1), ${more}
    tasks: [{ name: 'look', run: (user) => user.get('/articles') }] });`;
writeFileSync(join(folder, 'shop.ts'), scenario());
writeFileSync(join(folder, 'signed-in.ts'), scenario('accounts: true,'));

/** A service that answers 200 to everything, and what it was asked. */
const startShop = async () => {
  const asked = new Set<string>();
  const told = new Set<string>();
  const server = await startHttpServer((request, response) => {
    asked.add(`${request.method} ${request.url}`);
    if (request.headers.authorization !== undefined) told.add(request.headers.authorization);
    request.resume();
    response.end('{}');
  });
  return { ...server, asked, told };
};

const few = ['--users', '2', '--spawn-rate', '20', '--duration', '2s'];

suite('a service that is not ours', { concurrency: true }, () => {
  test('is sent what the scenario names and nothing else, and no key', async () => {
    using shop = await startShop();
    const words = ['run', 'shop.ts', '--target', shop.url, ...few, '--out', 'shop'];
    const { output } = await runLab(folder, words);
    assert.deepEqual([...shop.asked], ['GET /articles'], output);
    assert.deepEqual([...shop.told], []);
    const result = JSON.parse(readFileSync(join(folder, 'shop.json'), 'utf8')) as RunResult;
    assert.match(result.accounts.reason ?? '', /does not say "accounts: true"/);
    assert.equal(result.server, null, 'its metrics were not asked');
  });

  test('is sent nothing else by a search for its capacity either', async () => {
    using shop = await startShop();
    const ladder = ['--from', '2', '--users-max', '2', '--step', '2s', '--refine', '1', '--out', 'capacity'];
    const { output } = await runLab(folder, ['capacity', 'shop.ts', '--target', shop.url, ...ladder]);
    assert.deepEqual([...shop.asked], ['GET /articles'], output);
    assert.match(output, /First logins were not measured.*\n10 users are started a second/);
  });

  test('is asked for its metrics where they are named', async () => {
    using shop = await startShop();
    const metrics = ['--metrics', `${shop.url}/figures`];
    await runLab(folder, ['run', 'shop.ts', '--target', shop.url, ...few, ...metrics, '--out', 'metrics']);
    assert.deepEqual([...shop.asked].sort(), ['GET /articles', 'GET /figures']);
  });

  test('gets no key when a scenario takes it for Catalytic, and users are not stormed in', async () => {
    using shop = await startShop();
    const { output } = await runLab(folder, ['run', 'signed-in.ts', '--target', shop.url, ...few, '--out', 'taken']);
    assert.deepEqual([...shop.told], [], output);
    assert.match(output, /it gets no key: GET \/admin\/accounts without a key answered 200/);
    const ladder = ['--from', '2', '--users-max', '2', '--step', '2s', '--refine', '1', '--out', 'taken-capacity'];
    const search = await runLab(folder, ['capacity', 'signed-in.ts', '--target', shop.url, ...ladder]);
    assert.match(search.output, /First logins were not measured: the target does not say that it is Catalytic/);
    assert.ok(!shop.asked.has('POST /auth/register'), [...shop.asked].join());
  });

  test('that is not there ends the run with 5, without a request', async () => {
    const { code, output } = await runLab(folder, ['run', 'shop.ts', '--target', 'http://127.0.0.1:1', ...few]);
    assert.equal(code, 5);
    assert.match(output, /Cannot reach http:\/\/127\.0\.0\.1:1: connection refused; start the service/);
  });
});
