import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId } from '@catalytic/protocol/ids';
import { Secret } from '../secrets/secret.ts';
import { LoginCache } from './login-cache.ts';

const ada = 'ada' as AccountId;
const right = new Secret('right password');
const wrong = new Secret('wrong password');

const cacheAt = (windowSeconds: number) => {
  const clock = { ms: 0 };
  const cache = new LoginCache(windowSeconds, () => clock.ms);
  return { cache, clock };
};

test('the right password is known within the window, a wrong one never', () => {
  const { cache } = cacheAt(10);
  assert.equal(cache.has(ada, 'hash', right), false);
  cache.remember(ada, 'hash', right);
  assert.equal(cache.has(ada, 'hash', right), true);
  assert.equal(cache.has(ada, 'hash', wrong), false);
  assert.equal(cache.has('bob' as AccountId, 'hash', right), false);
});

test('the window counts from the full check and is not extended by use', () => {
  const { cache, clock } = cacheAt(10);
  cache.remember(ada, 'hash', right);
  for (clock.ms = 0; clock.ms < 10_000; clock.ms += 1000) assert.equal(cache.has(ada, 'hash', right), true);
  assert.equal(cache.has(ada, 'hash', right), false);
});

test('another stored hash, as after a password change, forgets the entry', () => {
  const { cache } = cacheAt(10);
  cache.remember(ada, 'old hash', right);
  assert.equal(cache.has(ada, 'new hash', right), false);
  assert.equal(cache.has(ada, 'old hash', right), false);
});

test('a window of zero remembers nothing', () => {
  const { cache } = cacheAt(0);
  cache.remember(ada, 'hash', right);
  assert.equal(cache.has(ada, 'hash', right), false);
});
