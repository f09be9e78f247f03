import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { paths } from '@catalytic/protocol/paths';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));
const ends: (() => Promise<void>)[] = [];
after(async () => {
  for (const end of ends) await end();
});

const serve = async (state: string): Promise<string> => {
  const args = [main, 'naive', '--port', '0', '--workers', '2', '--state', state, '--close'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  ends.push(async () => {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  });
  for await (const line of createInterface(child.stdout)) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error('The naive server did not start');
};

const logIn = async (url: string): Promise<string> => {
  const reply = await fetch(url + paths.login, { method: 'POST', body: '{"email":"a@example.com"}' });
  return ((await reply.json()) as { access_token: string }).access_token;
};
const ask = async (url: string, path: string, token: string, method = 'GET'): Promise<number> =>
  (await fetch(url + path, { method, headers: { authorization: `Bearer ${token}` } })).status;
/** How often each status comes in 20 requests. */
const many = async (url: string, token: string): Promise<Record<number, number>> => {
  const counts: Record<number, number> = {};
  for (let round = 0; round < 20; round++) {
    const status = await ask(url, paths.protectedSample, token);
    counts[status] = (counts[status] ?? 0) + 1;
  }
  return counts;
};

test('with a blacklist per process, the others accept what one has signed out', async () => {
  const url = await serve('blacklist');
  const token = await logIn(url);
  assert.deepEqual(await many(url, token), { 200: 20 });
  assert.equal(await ask(url, paths.logout, token, 'POST'), 200);
  assert.deepEqual(await many(url, token), { 200: 10, 401: 10 });
});

test('with sessions per process, the others refuse who lives', async () => {
  const url = await serve('sessions');
  assert.deepEqual(await many(url, await logIn(url)), { 200: 10, 401: 10 });
});

test('a token of another key, or none, is refused everywhere', async () => {
  const url = await serve('blacklist');
  for (const token of ['', 'a.b.c', `${await logIn(url)}x`]) assert.deepEqual(await many(url, token), { 401: 20 });
});
