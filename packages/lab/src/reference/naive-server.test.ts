import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '@catalytic/protocol/paths';
import { startNaive } from '../../../../tests/harness/lab.ts';

const serve = (state: string) => startNaive('--workers', '2', '--state', state, '--close');

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
  await using naive = await serve('blacklist');
  const { url } = naive;
  const token = await logIn(url);
  assert.deepEqual(await many(url, token), { 200: 20 });
  assert.equal(await ask(url, paths.logout, token, 'POST'), 200);
  assert.deepEqual(await many(url, token), { 200: 10, 401: 10 });
});

test('with sessions per process, the others refuse who lives', async () => {
  await using naive = await serve('sessions');
  const { url } = naive;
  assert.deepEqual(await many(url, await logIn(url)), { 200: 10, 401: 10 });
});

test('a token of another key, or none, is refused everywhere', async () => {
  await using naive = await serve('blacklist');
  const { url } = naive;
  for (const token of ['', 'a.b.c', `${await logIn(url)}x`]) assert.deepEqual(await many(url, token), { 401: 20 });
});
