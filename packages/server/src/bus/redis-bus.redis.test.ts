/** The bus over a real Redis: what only a server can show. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MemberId } from '@catalytic/protocol/ids';
import { needsRedis, type Redis, type RedisOptions, redisIn, startSentinel } from '../../../../tests/harness/redis.ts';
import { folderIn, freePort } from '../../../../tests/harness/service.ts';
import { type RedisConfig, redisOptions } from '../config/redis-options.ts';
import type { Hint } from '../features/revocation/hint-bus.ts';
import { RedisBus } from './redis-bus.ts';
import { redisPlace } from './redis-place.ts';

const sharedKey = randomBytes(32);
/** A bus that is back is used within this time, milliseconds. */
const backMsMax = 1000;

const defaults = Object.fromEntries(
  Object.entries(redisOptions).map(([field, option]) => [field, option.default]),
) as unknown as RedisConfig;

const until = async (what: string, isSo: () => boolean, ms = 5000): Promise<number> => {
  const beganMs = performance.now();
  for (; !isSo(); await delay(2)) if (performance.now() - beganMs > ms) throw new Error(`Not within ${ms} ms: ${what}`);
  return performance.now() - beganMs;
};

/** A member of a deployment that applies and acknowledges everything it hears. */
const memberOf = (t: TestContext, config: Partial<RedisConfig>, name: string, key = sharedKey) => {
  const place = redisPlace({ ...defaults, ...config });
  assert.ok(place);
  const heard: Hint[] = [];
  const acknowledged: (readonly [string, readonly MemberId[]])[] = [];
  const left: string[] = [];
  const messages: string[] = [];
  const problems: string[] = [];
  const roundTripsMs: number[] = [];
  const bus = new RedisBus({
    place,
    key,
    observer: {
      up: () => {},
      roundTrip: (ms) => roundTripsMs.push(ms),
      message: (direction, kind) => messages.push(`${direction} ${kind}`),
    },
    onProblem: (message, error) => problems.push(`${message} ${error ?? ''}`),
  });
  bus.listen(
    {
      // A member refuses a hint when it does not know the kind of an entry.
      onHint: (hint) => heard.push(hint) > 0 && hint.announcement !== 'not understood',
      onAcknowledged: ({ announcement }) => left.push(announcement),
      onAcknowledgement: ({ announcement, members }) => acknowledged.push([announcement, members]),
    },
    () => [name as MemberId],
  );
  bus.start();
  t.after(() => bus.close());
  return { bus, heard, acknowledged, left, messages, problems, roundTripsMs };
};

const hintOf = (announcement: string): Hint => ({ announcement, entries: [] });

const two = async (t: TestContext, options?: RedisOptions) => {
  const redis = await redisIn(t, options);
  const [one, other] = [memberOf(t, { redisUrl: redis.url }, 'one'), memberOf(t, { redisUrl: redis.url }, 'other')];
  await until('both are up', () => one.bus.isUp && other.bus.isUp);
  return { redis, one, other };
};

const channels = async (redis: Redis): Promise<readonly string[]> =>
  (await redis.command('PUBSUB', 'CHANNELS', 'catalytic:*')) as readonly string[];

suite('the bus over Redis', needsRedis(), () => {
  test('a hint reaches every other member, its acknowledgement the one that announced, and Redis keeps nothing', async (t) => {
    const { redis, one, other } = await two(t);
    const third = memberOf(t, { redisUrl: redis.url }, 'third');
    await until('the third is up', () => third.bus.isUp);
    one.bus.announce(hintOf('a'));
    await until('both have acknowledged', () => one.acknowledged.length === 2);
    assert.deepEqual(
      one.acknowledged.toSorted((a, b) => (a[1] < b[1] ? -1 : 1)),
      [
        ['a', ['other']],
        ['a', ['third']],
      ],
    );
    assert.deepEqual(
      [one.heard, other.heard, third.heard],
      [[], [hintOf('a')], [hintOf('a')]],
      'no process receives its own hint',
    );
    await until('each knows that its acknowledgement has left', () => other.left[0] === 'a' && third.left[0] === 'a');
    assert.deepEqual(other.acknowledged, [], 'an acknowledgement reaches only the process that announced');
    one.bus.announce(hintOf('not understood'));
    one.bus.announce(hintOf('b'));
    await until('both have acknowledged the last one', () => one.acknowledged.length === 4);
    assert.deepEqual(
      one.acknowledged.slice(2).map(([announcement]) => announcement),
      ['b', 'b'],
    );
    assert.equal(await redis.command('DBSIZE'), 0);
  });

  test('a message that is not sealed under the key of the deployment is dropped; another key means another channel', async (t) => {
    const { redis, one, other } = await two(t);
    const stranger = memberOf(t, { redisUrl: redis.url }, 'stranger', randomBytes(32));
    await until('the stranger is up', () => stranger.bus.isUp);
    const forged = JSON.stringify(['hint', 'another', 'forged', []]);
    const tag = 'A'.repeat(22);
    for (const channel of await channels(redis))
      for (const message of [forged, tag + forged, tag, '', '\u0000', 'x'.repeat(100_000)])
        await redis.command('PUBLISH', channel, message);
    one.bus.announce(hintOf('a'));
    await until('the real one is heard', () => other.heard.length === 1);
    assert.deepEqual(other.heard, [hintOf('a')]);
    assert.deepEqual([stranger.heard, stranger.acknowledged, one.heard], [[], [], []]);
    assert.equal(other.messages.filter((message) => message === 'refused unknown').length, 12);
  });

  test('a server that freezes is given up within a second, nothing waits for it, and it is used again within a second', async (t) => {
    const { redis, one, other } = await two(t);
    redis.pause();
    await until('it is noticed', () => !one.bus.isUp && !other.bus.isUp, backMsMax);
    const beganMs = performance.now();
    for (let index = 0; index < 1000; index++) one.bus.announce(hintOf(`lost ${index}`));
    assert.ok(performance.now() - beganMs < 200);
    const dropped = one.messages.filter((message) => message === 'dropped hint');
    assert.equal(dropped.length, 1000, 'each is dropped at once');
    await delay(700);
    assert.equal(one.bus.isUp, false);
    redis.resume();
    await until('it is used again', () => one.bus.isUp && other.bus.isUp, backMsMax);
    one.bus.announce(hintOf('b'));
    await until('hints travel', () => one.acknowledged.length === 1);
    assert.deepEqual(other.heard, [hintOf('b')], 'what was dropped is not sent later');
    assert.deepEqual(
      one.problems.map((problem) => problem.slice(0, 20)),
      ['Redis does not answe', 'Redis answers again '],
    );
  });

  test('a server that is killed and comes back empty is used again within a second', async (t) => {
    const { redis, one, other } = await two(t);
    await redis.kill();
    await until('it is noticed', () => !one.bus.isUp, backMsMax);
    await delay(1500);
    await redis.start();
    await until('it is used again', () => one.bus.isUp && other.bus.isUp, backMsMax);
    one.bus.announce(hintOf('c'));
    await until('hints travel', () => one.acknowledged.length === 1);
  });

  test('a connection that still takes commands but hears nothing any more is replaced', async (t) => {
    const { redis, one, other } = await two(t);
    // Both are subscribers, so this cuts both; a flush of everything changes nothing.
    await redis.command('FLUSHALL');
    await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('it is noticed', () => one.problems.length > 0 && other.problems.length > 0);
    await until('it is used again', () => one.bus.isUp && other.bus.isUp, backMsMax);
  });

  test('a user with the rights to publish and subscribe is enough, and one without them is reported', async (t) => {
    const rights = 'resetchannels &catalytic:* -@all +@connection +publish +subscribe';
    const settings = { 'user bus': `on >secret ${rights}`, 'user mute': `on >secret ${rights} -publish` };
    const redis = await redisIn(t, { settings });
    const config = { redisHost: redis.host, redisPort: redis.port, redisPassword: 'secret' };
    const [one, other] = ['one', 'other'].map((name) => memberOf(t, { ...config, redisUsername: 'bus' }, name));
    const mute = memberOf(t, { ...config, redisUsername: 'mute' }, 'mute');
    const wrong = memberOf(t, { ...config, redisUsername: 'bus', redisPassword: 'wrong' }, 'wrong');
    await until('both are up', () => one?.bus.isUp === true && other?.bus.isUp === true);
    one?.bus.announce(hintOf('a'));
    await until('hints travel', () => one?.acknowledged.some(([, members]) => members[0] === 'other') === true);
    await until('the others know why', () => mute.problems.length > 0 && wrong.problems.length > 0);
    assert.match(wrong.problems[0] ?? '', /WRONGPASS/);
    assert.match(mute.problems[0] ?? '', /NOPERM.*publish/);
    assert.equal(mute.bus.isUp, false);
  });

  test('TLS is spoken, and a certificate of an unknown authority is refused', async (t) => {
    const folder = folderIn(t);
    const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
    try {
      openssl('version');
    } catch {
      return t.skip('there is no openssl to make a certificate with');
    }
    openssl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...[
        '-keyout',
        'key.pem',
        '-out',
        'cert.pem',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
      ],
    );
    chmodSync(folder, 0o755);
    const tlsPort = await freePort();
    const paths = { 'tls-cert-file': join(folder, 'cert.pem'), 'tls-key-file': join(folder, 'key.pem') };
    await redisIn(t, { settings: { 'tls-port': tlsPort, 'tls-auth-clients': 'no', ...paths } });
    const config = { redisHost: 'localhost', redisPort: tlsPort };
    const trusting = memberOf(t, { ...config, redisCaFile: paths['tls-cert-file'] }, 'trusting');
    const doubting = memberOf(t, { ...config, redisTls: '1' }, 'doubting');
    const plain = memberOf(t, config, 'plain');
    await until('the one that trusts it is up', () => trusting.bus.isUp);
    await until('the others say why not', () => doubting.problems.length > 0 && plain.problems.length > 0);
    assert.match(doubting.problems[0] ?? '', /self-signed certificate/);
    assert.deepEqual([doubting.bus.isUp, plain.bus.isUp], [false, false]);
    assert.match(readFileSync(paths['tls-cert-file'], 'utf8'), /BEGIN CERTIFICATE/);
    return undefined;
  });

  test('a replica is not taken for the bus', async (t) => {
    const redis = await redisIn(t);
    const replica = await redisIn(t, { settings: { replicaof: `127.0.0.1 ${redis.port}` } });
    const astray = memberOf(t, { redisUrl: replica.url }, 'astray');
    await until('it says why', () => astray.problems.length > 0);
    assert.match(astray.problems[0] ?? '', /is a replica/);
    assert.equal(astray.bus.isUp, false);
  });

  test('sentinels are asked for the primary, before and after a failover', async (t) => {
    const primary = await redisIn(t);
    const replica = await redisIn(t, { settings: { replicaof: `127.0.0.1 ${primary.port}` } });
    // Sentinel asks a primary for its replicas at the start and then every 10 s: it must find this one at the start.
    while (!String(await replica.command('INFO', 'replication')).includes('master_link_status:up')) await delay(50);
    const sentinel = await startSentinel({ master: { name: 'auth', host: '127.0.0.1', port: primary.port } });
    t.after(() => sentinel.close());
    const replicas = async () => String(await sentinel.command('SENTINEL', 'REPLICAS', 'auth'));
    while (!(await replicas()).includes(String(replica.port))) await delay(50);
    // The first sentinel is away: the next one is asked.
    const config = { redisSentinels: `127.0.0.1:1,127.0.0.1:${sentinel.port}`, redisSentinelName: 'auth' };
    const [one, other] = [memberOf(t, config, 'one'), memberOf(t, config, 'other')];
    await until('both are up', () => one.bus.isUp && other.bus.isUp);
    assert.deepEqual(await channels(replica), []);
    await primary.kill();
    await until('it is noticed', () => !one.bus.isUp && !other.bus.isUp, backMsMax);
    await until('the new primary is used', () => one.bus.isUp && other.bus.isUp, 15_000);
    assert.equal((await channels(replica)).length, 3);
    one.bus.announce(hintOf('a'));
    await until('hints travel', () => one.acknowledged.length === 1);
  });
});
