import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { PublishedKeys } from './published-keys.ts';
import type { Reply } from './revocations-client.ts';
import { encodedHeader } from './verification-key.ts';

const publish = (kid: string): object => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  ...{ kid, alg: 'ES256', use: 'sig' },
});
const [one, two] = [publish('one'), publish('two')];

const open = () => {
  let monoMs = 0;
  let fetched = 0;
  const reply: { status: number; keys: unknown; etag: string | undefined } = { status: 200, keys: [one], etag: '"v1"' };
  const keys = new PublishedKeys({
    monoMs: () => monoMs,
    fetch: async (): Promise<Reply> => {
      fetched++;
      const { status, etag } = reply;
      return { status, etag, value: { keys: reply.keys }, code: undefined, retryAfterMs: undefined };
    },
  });
  const pass = (ms: number): void => {
    monoMs += ms;
  };
  return { keys, reply, pass, fetched: () => fetched, find: (kid: string) => keys.find(encodedHeader('ES256', kid)) };
};

test('keys are fetched when a page speaks of others than those that were fetched', async () => {
  const { keys, reply, pass, fetched, find } = open();
  assert.deepEqual([keys.isLoaded, keys.isUpToDate], [false, false]);
  await keys.follow('v1');
  await keys.follow('v1');
  assert.deepEqual([fetched(), keys.isUpToDate, find('one')?.kid, find('two')], [1, true, 'one', undefined]);
  Object.assign(reply, { keys: [one, two], etag: 'W/"v2"' });
  pass(1000);
  await keys.follow('v2');
  assert.deepEqual([fetched(), keys.isUpToDate, find('two')?.kid], [2, true, 'two']);
});

test('keys of a worker that knows less are not taken for those that the page spoke of, and fetched again a second later', async () => {
  const { keys, reply, pass, fetched } = open();
  await keys.follow('v2');
  assert.deepEqual([keys.isLoaded, keys.isUpToDate], [true, false]);
  reply.etag = '"v2"';
  await keys.follow('v2');
  assert.equal(fetched(), 1);
  pass(1000);
  await keys.follow('v2');
  assert.deepEqual([fetched(), keys.isUpToDate], [2, true]);
});

test('a key is alive as long as it is published, and stays the same object', async () => {
  const { keys, reply, pass, find } = open();
  await keys.follow('v1');
  const key = find('one');
  assert.ok(key !== undefined);
  Object.assign(reply, { keys: [two, one], etag: '"v2"' });
  pass(1000);
  await keys.follow('v2');
  assert.equal(keys.isAlive(key), true);
  Object.assign(reply, { keys: [two], etag: '"v3"' });
  pass(1000);
  await keys.follow('v3');
  assert.equal(keys.isAlive(key), false);
});

test('an answer that is no list of keys changes nothing', async () => {
  const { keys, reply, pass, find } = open();
  await keys.follow('v1');
  for (const change of [{ status: 503 }, { keys: {} }, { keys: Array(1001).fill(one) }]) {
    Object.assign(reply, { status: 200, keys: [one], etag: '"v9"', ...change });
    pass(1000);
    await assert.rejects(keys.follow('v9'));
    assert.deepEqual([find('one')?.kid, keys.isUpToDate], ['one', false]);
  }
  Object.assign(reply, { status: 200, keys: [null, { kid: 7 }, { ...two, alg: 'none' }, two], etag: '"v9"' });
  pass(1000);
  await keys.follow('v9');
  assert.deepEqual([find('two')?.kid, find('one')], ['two', undefined]);
});
