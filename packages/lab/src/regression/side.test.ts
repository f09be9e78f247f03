import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { operations } from './operations.ts';
import { Side } from './side.ts';

/** Gives each login a token of its own, and says at `/` how many different tokens were signed out. */
const target = `
  const signedOut = new Set();
  let logins = 0;
  const server = require('node:http').createServer((request, response) => {
    request.resume();
    if (request.url === '/auth/logout') signedOut.add(request.headers.authorization);
    response.writeHead(request.url === '/auth/register' ? 201 : 200, { 'content-type': 'application/json' });
    const login = { access_token: 'token' + ++logins, expires_in: 900 };
    response.end(JSON.stringify(request.url === '/auth/login' ? login : { signed_out: signedOut.size }));
  });
  server.listen(0, '127.0.0.1', () => console.log('http://127.0.0.1:' + server.address().port));`;

/** A process of its own: a side measures the CPU time of the process that listens. */
const startTarget = async () => {
  const child = spawn(process.execPath, ['-e', target], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: line.toString().trim(), [Symbol.dispose]: () => void child.kill() };
};

test('a logout is measured on a session that was opened for it, never on a dead one', async () => {
  using started = await startTarget();
  const scenario = operations.get('logout');
  assert.ok(scenario !== undefined);
  const limits = { connectMs: 2000, answerMs: 2000 };
  const side = await Side.start({ target: started.url, adminKeyFile: undefined, scenario, users: 3, limits }, 'test');
  for (let block = 0; block < 2; block++) {
    await side.prepare(20);
    const loading = side.begin('seed');
    await Promise.all(Array.from({ length: 20 }, () => loading.ask()));
    const { requests, realFailures } = loading.end();
    assert.deepEqual({ requests, realFailures }, { requests: 20, realFailures: 0 });
  }
  side.close();
  assert.deepEqual(await (await fetch(started.url)).json(), { signed_out: 40 });
});
