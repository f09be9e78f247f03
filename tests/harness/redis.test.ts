/**
 * The Redis of the tests itself: it survives what tests do to it, and nothing of it survives the tests.
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { listProcesses } from '@catalytic/lab/process-tree';
import { findProgram } from './find-program.ts';
import { startOwner } from './owner.ts';
import { needsRedis, redisIn, startSentinel, wantedRedis } from './redis.ts';
import { folderIn, freePort } from './service.ts';
import { waitUntil } from './wait-until.ts';

const goneMsMax = 10_000;
/** A Sentinel that missed something looks again after 10 s. */
const failoverMsMax = 25_000;
const nowhere = { path: '/nothing-here', cache: '/dev/null/nothing-here' };

const isRunning = (pid: number): boolean => listProcesses().some((other) => other.pid === pid);

suite('a Redis for tests', needsRedis(), () => {
  test('starts empty again after kill and stop, and answers after a pause what was asked during it', async (t) => {
    const redis = await redisIn(t);
    assert.match(redis.version, /^\d+\.\d+/);
    const { pid } = redis;
    assert.equal(await redis.command('SET', 'word', 'größer\r\n'), 'OK');
    assert.equal(await redis.command('GET', 'word'), 'größer\r\n');
    assert.deepEqual(await redis.command('MGET', 'word', 'none'), ['größer\r\n', null]);
    assert.equal(await redis.command('INCR', 'count'), 1);
    await assert.rejects(redis.command('INCR', 'word'), /^Error: ERR value is not an integer/);

    await redis.kill();
    await assert.rejects(redis.command('PING'), /ECONNREFUSED/);
    await redis.start();
    assert.notEqual(redis.pid, pid);
    assert.equal(await redis.command('DBSIZE'), 0);

    redis.pause();
    const held = redis.command('SET', 'word', 'held');
    assert.equal(await Promise.race([held, delay(300, 'no answer')]), 'no answer');
    redis.resume();
    assert.equal(await held, 'OK');

    redis.pause();
    await redis.stop();
    await redis.start();
    assert.equal(await redis.command('GET', 'word'), null);
    await redis.close();
    assert.equal(isRunning(redis.pid), false);
  });

  const canMakeCertificates = spawnSync('openssl', ['version']).status === 0;
  const skip = canMakeCertificates ? false : 'there is no openssl to make a certificate with';

  test('takes a password, further users and TLS', { skip }, async (t) => {
    const folder = folderIn(t);
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
        ...['-subj', '/CN=localhost', '-keyout', key, '-out', cert],
      ],
      { stdio: 'ignore' },
    );
    const tlsPort = await freePort();
    const redis = await redisIn(t, {
      settings: {
        requirepass: 'open-sesame/7',
        'user app': 'on >pw ~* &* +@all',
        'tls-port': tlsPort,
        'tls-cert-file': cert,
        'tls-key-file': key,
        'tls-ca-cert-file': cert,
        'tls-auth-clients': 'no',
      },
    });
    assert.equal(redis.url, `redis://:open-sesame%2F7@127.0.0.1:${redis.port}`);
    assert.equal(await redis.command('ACL', 'WHOAMI'), 'default');
    const socket = connect({ port: tlsPort, host: '127.0.0.1', rejectUnauthorized: false });
    t.after(() => socket.destroy());
    socket.write('AUTH app pw\r\nACL WHOAMI\r\n');
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString();
    });
    await waitUntil('Redis', 'answer over TLS', goneMsMax, () => answer === '+OK\r\n$3\r\napp\r\n');
  });

  test('fails over to a replica when Sentinel sees the master gone', async (t) => {
    const master = await redisIn(t);
    const replica = await redisIn(t, { settings: { replicaof: `${master.host} ${master.port}` } });
    const isLinked = async (): Promise<boolean> =>
      String(await replica.command('INFO', 'replication')).includes('master_link_status:up');
    await waitUntil('The replica', 'find its master', failoverMsMax, isLinked);
    // Sentinel asks a master for its replicas at the start and then every 10 s: it must find this one at the start.
    const sentinel = await startSentinel({ master: { name: 'main', host: master.host, port: master.port } });
    t.after(() => sentinel.close());
    const replicas = async (): Promise<unknown> => sentinel.command('SENTINEL', 'REPLICAS', 'main');
    await waitUntil('Sentinel', 'find the replica', failoverMsMax, async () => [await replicas()].flat().length === 1);

    await master.command('SET', 'word', 'kept');
    await waitUntil('The replica', 'follow', goneMsMax, async () => (await replica.command('GET', 'word')) === 'kept');
    await master.kill();
    const current = (): Promise<unknown> => sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main');
    await waitUntil('Sentinel', 'fail over', failoverMsMax, async () =>
      String(await current()).endsWith(`,${replica.port}`),
    );
    assert.equal(await replica.command('SET', 'word', 'new'), 'OK');

    await sentinel.kill();
    await sentinel.start();
    assert.deepEqual(await current(), [replica.host, String(replica.port)]);
  });

  test('is gone, paused or not, when the process that started it is killed', async (t) => {
    const owner = await startOwner(
      t,
      'redis.ts',
      `const redis = await harness.startRedis();
       const sentinel = await harness.startSentinel({ master: { name: 'main', host: redis.host, port: redis.port } });
       const [, folder] = await redis.command('CONFIG', 'GET', 'dir');
       redis.pause();
       console.log(JSON.stringify([folder, redis.pid, sentinel.pid]))`,
    );
    const [folder, ...pids] = owner.said as [string, ...number[]];
    assert.ok(existsSync(folder) && pids.length === 2 && pids.every(isRunning));
    owner.kill();
    await waitUntil('Redis', 'go', goneMsMax, () => !pids.some(isRunning) && !existsSync(folder));
  });
});

test('where no Redis can be had, one sentence says which command helps', () => {
  assert.throws(
    () => findProgram(wantedRedis, nowhere),
    /^Error: No Redis 7\.0 or newer is here .*"apt-get install redis-server"$/,
  );
});

test('a missing Redis skips tests, and fails them where CI is set', (t) => {
  const before = process.env['CI'];
  t.after(() => {
    if (before === undefined) delete process.env['CI'];
    else process.env['CI'] = before;
  });
  delete process.env['CI'];
  assert.match(String(needsRedis(nowhere).skip), /^No Redis/);
  process.env['CI'] = 'true';
  assert.throws(() => needsRedis(nowhere), /^Error: No Redis/);
});
