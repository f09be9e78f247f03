import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '../config/read-config.ts';
import { redisPlace } from './redis-place.ts';

const placeOf = (environment: NodeJS.Dict<string>) => redisPlace(readConfig({}, undefined, environment));

test('no Redis is named, or one of three ways names it', () => {
  assert.equal(placeOf({}), undefined);
  assert.deepEqual(placeOf({ REDIS_URL: 'redis://10.0.0.7' })?.server, { host: '10.0.0.7', port: 6379 });
  assert.deepEqual(placeOf({ REDIS_HOST: 'cache', REDIS_PORT: '7000' })?.server, { host: 'cache', port: 7000 });
  assert.deepEqual(placeOf({ REDIS_SENTINELS: 'one,two:5000,[::1]:5001' })?.sentinels, [
    { host: 'one', port: 26_379 },
    { host: 'two', port: 5000 },
    { host: '::1', port: 5001 },
  ]);
  assert.throws(() => placeOf({ REDIS_URL: 'redis://a', REDIS_HOST: 'b' }), /give one of/);
});

test('user and password stand in the URL, percent-encoded, or beside it', () => {
  const inUrl = placeOf({ REDIS_URL: 'redis://app:p%40ss@[::1]:7000' });
  assert.deepEqual([inUrl?.username, inUrl?.password, inUrl?.server], ['app', 'p@ss', { host: '::1', port: 7000 }]);
  const beside = placeOf({ REDIS_HOST: 'cache', REDIS_USERNAME: 'app', REDIS_PASSWORD: 'p@ss' });
  assert.deepEqual([beside?.username, beside?.password], ['app', 'p@ss']);
});

test('TLS is spoken where any of three options says so', () => {
  const speaks = (environment: NodeJS.Dict<string>): boolean => placeOf(environment)?.authorities !== undefined;
  assert.equal(speaks({ REDIS_URL: 'redis://a' }), false);
  assert.equal(speaks({ REDIS_URL: 'rediss://a' }), true);
  assert.equal(speaks({ REDIS_HOST: 'a', REDIS_TLS: '1' }), true);
  assert.throws(() => placeOf({ REDIS_HOST: 'a', REDIS_CA_FILE: '/nowhere' }), /nowhere/);
});
