/**
 * Redis between two machines: what it makes fast, and what its absence costs.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import * as nodeTest from 'node:test';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { get, logOut, signIn, signUp } from '../harness/client.ts';
import { needsPostgres } from '../harness/postgres.ts';
import { createDatabase, sharedServer } from '../harness/postgres-engine.ts';
import { assertProblem } from '../harness/problems.ts';
import { needsRedis, redisIn } from '../harness/redis.ts';
import { folderIn, runCatalytic, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const { skip: noPostgres } = needsPostgres();
const { skip: noRedis } = needsRedis();

suite('Redis between machines', { skip: noPostgres || noRedis }, () => {
  const server = sharedServer(nodeTest, {});

  test('a sign-out is fast with Redis and right without it; readiness and doctor say what its absence costs', async (t) => {
    const { url: databaseUrl } = await createDatabase(await server());
    const redis = await redisIn(t, { settings: { requirepass: 'redis-secret' } });
    const settings = {
      DATABASE_URL: databaseUrl,
      REDIS_HOST: redis.host,
      REDIS_PORT: redis.port,
      REDIS_PASSWORD: 'redis-secret',
      ISSUER: 'http://auth.example.com',
      CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
      LOGIN_CACHE_SECONDS: 600,
      WORKERS: 1,
      DATABASE_POOL_SIZE: 5,
      MAX_CONNECTIONS: 100,
      BACKLOG: 1,
      HASH_LANES: 1,
    };
    // A copy of the database for trials, say, with the same keys: what is revoked there is not heard here.
    const copy = { ...settings, DATABASE_URL: (await createDatabase(await server())).url };
    const [one, other] = await Promise.all([settings, settings, copy].map((each) => serviceIn(t, each)));
    assert.ok(one !== undefined && other !== undefined);
    await signUp(one.url, 'ada@example.com');

    const ready = async (url: string) => (await get(`${url}/health/ready`)).body;
    const readiness = async () => [await ready(one.url), await ready(other.url)];
    const untilReadiness = async (expected: object, ms: number): Promise<void> => {
      const isSo = async () => (await readiness()).every((body) => 'degraded' in body === 'degraded' in expected);
      for (const endMs = performance.now() + ms; !(await isSo()); await delay(20))
        if (performance.now() > endMs) assert.deepEqual(await readiness(), [expected, expected]);
    };
    /** Signs out on one machine and asks the other at once. Returns the time the sign-out took, milliseconds. */
    const signOut = async (): Promise<number> => {
      const { access } = await signIn(one.url, 'ada@example.com');
      assert.equal((await get(`${other.url}/auth/verify`, access)).status, 200);
      const beganMs = performance.now();
      const answer = await logOut(one.url, access);
      const tookMs = performance.now() - beganMs;
      assert.deepEqual([answer.status, answer.body['propagation']], [200, 'complete']);
      assertProblem(await get(`${other.url}/auth/verify`, access), 'token_revoked');
      return tookMs;
    };
    const median = async (): Promise<number> => {
      const times: number[] = [];
      for (let count = 0; count < 9; count++) times.push(await signOut());
      return times.sort((a, b) => a - b)[4] ?? 0;
    };

    await untilReadiness({}, 5000);
    await waitUntil('Two databases', 'have a bus each', 3000, async () => {
      const channels = (await redis.command('PUBSUB', 'CHANNELS', 'catalytic:*')) as string[];
      return new Set(channels.map((channel) => channel.split(':')[1])).size === 2;
    });
    const withRedisMs = await median();
    const doctor = await runCatalytic(['doctor', '--no-measure'], { ...settings, DATA_DIR: folderIn(t) });
    assert.match(doctor.stdout, /^ok {7}Redis \d+\.\d+\.\d+ answers$/m);
    assert.match(doctor.stdout, /^ok {7}A message comes back from Redis in \d+\.\d ms$/m);

    await redis.kill();
    await untilReadiness({ degraded: [] }, 2000);
    const [degraded] = (await ready(one.url))['degraded'] as { part: string; effect: string }[];
    assert.equal(degraded?.part, 'redis');
    assert.match(degraded?.effect ?? '', /a sign-out takes about 0\.2 s/);
    const withoutRedisMs = await median();
    assert.ok(withRedisMs < withoutRedisMs / 2, `${withRedisMs} ms with Redis, ${withoutRedisMs} ms without`);
    const alarmed = await runCatalytic(['doctor', '--no-measure'], { ...settings, DATA_DIR: folderIn(t) });
    assert.match(alarmed.stdout, /^warning {2}Redis cannot be used: .*; until it can, a sign-out takes about 0\.2 s/m);
    assert.equal(alarmed.code, 1, alarmed.stdout);

    await redis.start();
    await untilReadiness({}, 1500);
    assert.doesNotMatch(one.output() + other.output() + doctor.stdout + alarmed.stdout, /redis-secret/);
  });

  test('a Redis that is named twice, or for too many workers, stops the start and says so', async (t) => {
    const { url } = await createDatabase(await server());
    const settings = { DATABASE_URL: url, DATA_DIR: folderIn(t), PORT: 0, WORKERS: 2, HASH_LANES: 1 };
    const twice = await runCatalytic(['serve'], {
      ...settings,
      REDIS_URL: 'redis://127.0.0.1',
      REDIS_HOST: '127.0.0.1',
    });
    assert.equal(twice.code, 2);
    assert.match(twice.stderr, /Cannot use Redis: give one of REDIS_URL, REDIS_HOST and REDIS_SENTINELS/);
    const few = await runCatalytic(['serve'], {
      ...settings,
      REDIS_URL: 'redis://127.0.0.1',
      REDIS_MAX_CONNECTIONS: 1,
    });
    assert.equal(few.code, 2);
    assert.match(few.stderr, /each of 2 workers needs a connection, REDIS_MAX_CONNECTIONS allows 1/);
  });
});
