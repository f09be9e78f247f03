import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import { Secret } from '../secrets/secret.ts';
import { LoginCache } from './login-cache.ts';

const ada = { tenantId: 'shop' as TenantId, accountId: 'ada' as AccountId, email: 'ada', passwordHash: 'hash' };
const right = new Secret('right password');
const wrong = new Secret('wrong password');

const cacheAt = (windowSeconds: number) => {
  const clock = { ms: 0 };
  const cache = new LoginCache(windowSeconds, () => clock.ms);
  return { cache, clock };
};

test('the right password is known within the window, a wrong one never', () => {
  const { cache } = cacheAt(10);
  assert.equal(cache.recall('shop', 'ada@x', [right]), undefined);
  cache.remember('shop', 'ada@x', right, ada);
  assert.equal(cache.recall('shop', 'ada@x', [right]), ada);
  assert.equal(cache.recall('shop', 'ada@x', [wrong]), undefined);
  assert.equal(cache.recall('shop', 'bob@x', [right]), undefined);
  assert.equal(cache.recall('blog', 'ada@x', [right]), undefined);
});

test('the window counts from the full check and is not extended by use', () => {
  const { cache, clock } = cacheAt(10);
  cache.remember('shop', 'ada@x', right, ada);
  for (clock.ms = 0; clock.ms < 10_000; clock.ms += 1000) assert.equal(cache.recall('shop', 'ada@x', [right]), ada);
  assert.equal(cache.recall('shop', 'ada@x', [right]), undefined);
});

test('a forgotten login is not known, and the next full check is', () => {
  const { cache } = cacheAt(10);
  cache.remember('shop', 'ada@x', right, ada);
  cache.forget('shop', 'ada@x');
  assert.equal(cache.recall('shop', 'ada@x', [right]), undefined);
  const later = { ...ada, passwordHash: 'another' };
  cache.remember('shop', 'ada@x', right, later);
  assert.equal(cache.recall('shop', 'ada@x', [right]), later);
});

test('a window of zero remembers nothing', () => {
  const { cache } = cacheAt(0);
  cache.remember('shop', 'ada@x', right, ada);
  assert.equal(cache.recall('shop', 'ada@x', [right]), undefined);
});
