import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { type Answer, get, goodPassword, request, signIn, signUp } from '../harness/client.ts';
import { readMetrics } from '../harness/metrics.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { needsPostgres, postgresIn } from '../harness/postgres.ts';
import { folderIn, runCatalytic, type Service, serviceIn } from '../harness/service.ts';

/** An address of this machine that is not loopback: a connection to it comes from it too. */
const ownAddress = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
const needsAddress = { skip: ownAddress === undefined && 'this machine has no address but loopback' };
/** An address for documentation (RFC 5737): no connection comes from it. */
const nobody = '203.0.113.7';
const issuer = 'https://id.example';
const behindProxy = { HOST: '0.0.0.0', TRUSTED_PROXIES: nobody, ISSUER: issuer, OPERATE_PORT: 0 };

const through = (address: string | undefined, { url }: Service): string => `http://${address}:${new URL(url).port}`;

/** Asks on a new connection: a kept one stays with one worker. */
const ask = (url: string): Promise<Answer> => request(url, { headers: { connection: 'close' } });

const refusedConnections = async (service: Service): Promise<number | undefined> =>
  readMetrics((await ask(`${operateUrlOf(service)}/metrics`)).text).get(
    'catalytic_connections_refused_total{worker="1"}',
  );

/**
 * Sends a request and returns what comes back until the connection is closed, and how it was
 * closed.
 */
const bytesFrom = (address: string, port: number): Promise<{ readonly bytes: string; readonly tookMs: number }> =>
  new Promise((resolve) => {
    const beganMs = performance.now();
    let bytes = '';
    const socket = connect({ host: address, port });
    socket.on('connect', () => socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n'));
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.toString();
    });
    socket.on('error', () => {});
    socket.once('close', () => resolve({ bytes, tookMs: performance.now() - beganMs }));
    socket.setTimeout(3000, () => socket.destroy());
  });

test('any loopback address is served without a word about proxies', async (t) => {
  const service = await serviceIn(t, { HOST: '127.0.0.2' });
  assert.equal((await get(`${through('127.0.0.2', service)}/metrics`)).status, 200);
  assert.doesNotMatch(service.output(), /for operators/);
});

test('a HOST beyond this machine stops the start without proxies, and without an issuer', async (t) => {
  const settings = { DATA_DIR: folderIn(t), PORT: 0, HOST: '0.0.0.0' };
  const bare = await runCatalytic(['serve'], settings);
  assert.equal(bare.code, 2);
  assert.match(
    bare.stderr,
    /plain HTTP.* only to a proxy that ends TLS; set TLS_CERT_FILE and TLS_KEY_FILE, or TRUSTED_PROXIES/,
  );
  const nameless = await runCatalytic(['serve'], { ...settings, TRUSTED_PROXIES: nobody });
  assert.equal(nameless.code, 2);
  assert.match(nameless.stderr, /ISSUER is not set/);
});

test(
  'a peer that is neither this machine nor a proxy is closed before it is read, and counted',
  needsAddress,
  async (t) => {
    const service = await serviceIn(t, behindProxy);
    assert.equal((await ask(`${through('127.0.0.1', service)}/health/live`)).status, 200);
    assert.equal(await refusedConnections(service), 0);
    for (let count = 1; count <= 3; count++) {
      const { bytes, tookMs } = await bytesFrom(ownAddress ?? '', Number(new URL(service.url).port));
      assert.equal(bytes, '');
      assert.ok(tookMs < 1000, `closed after ${tookMs} ms`);
      assert.equal(await refusedConnections(service), count);
    }
    assert.equal((await ask(`${through('127.0.0.1', service)}/health/live`)).status, 200, 'others are served on');
    assert.equal(await service.end('SIGTERM'), 0);
  },
);

test('a trusted proxy is served, and tokens carry the issuer that its clients know', needsAddress, async (t) => {
  const service = await serviceIn(t, { ...behindProxy, TRUSTED_PROXIES: `${nobody}, ${ownAddress}/32` });
  const url = through(ownAddress, service);
  const { access } = await signUp(url, 'proxied@example.com');
  const { body } = await get(`${url}/api/protected`, access);
  assert.equal((body['claims'] as Record<string, unknown>)['iss'], issuer);
  assert.equal(await refusedConnections(service), 0);
});

test('what is for operators answers on its own listener, and is unknown to the public one', async (t) => {
  const service = await serviceIn(t, behindProxy);
  const [publicUrl, operateUrl] = [through('127.0.0.1', service), operateUrlOf(service)];
  assert.equal(new URL(operateUrl).hostname, '127.0.0.1');

  for (const path of ['/metrics', '/admin/accounts/import', '/admin']) {
    const answer = await ask(`${publicUrl}${path}`);
    assert.deepEqual([answer.status, answer.body['code']], [404, 'route_unknown'], path);
  }
  for (const path of ['/auth/verify', '/api/protected', '/.well-known/jwks.json'])
    assert.equal((await ask(`${operateUrl}${path}`)).body['code'], 'route_unknown', path);
  for (const url of [publicUrl, operateUrl])
    for (const path of ['/health/live', '/health/ready']) assert.equal((await ask(`${url}${path}`)).status, 200, path);

  const line = JSON.stringify({ email: 'imported@example.com', password_hash: passwordHash(goodPassword) });
  const key = readLabKey(service.dataDir);
  assert.equal((await importLines(publicUrl, key, line)).body['code'], 'route_unknown');
  assert.equal((await importLines(operateUrl, key, line)).body['imported'], 1);
  await signIn(publicUrl, 'imported@example.com', goodPassword, 'lab');
  assert.equal((await importLines(operateUrl, `${key}x`, line)).status, 401, 'being private does not replace the key');
});

test('a service with an issuer or with proxies serves operators apart, also on loopback', async (t) => {
  for (const settings of [{ ISSUER: issuer }, { TRUSTED_PROXIES: '127.0.0.1' }]) {
    const service = await serviceIn(t, { ...settings, OPERATE_PORT: undefined }).catch((error: unknown) => {
      // Another program has the usual port here.
      assert.match(String(error), /Cannot listen on 127\.0\.0\.1:9000: another program does/);
    });
    if (service === undefined) continue;
    // As a proxy on this machine would pass it on, without a header that tells.
    for (const path of ['/metrics', '/admin/tenants', '/admin/accounts/import'])
      assert.equal((await ask(`${service.url}${path}`)).status, 404, path);
    assert.equal((await ask(`${operateUrlOf(service)}/metrics`)).status, 200);
    assert.equal(new URL(operateUrlOf(service)).hostname, '127.0.0.1');
    // The next one takes the same port for operators.
    await service.end();
  }
});

test('a listener for operators can be asked for on loopback too', async (t) => {
  const service = await serviceIn(t, { OPERATE_HOST: '127.0.0.3', OPERATE_PORT: 0 });
  assert.equal(new URL(operateUrlOf(service)).hostname, '127.0.0.3');
  assert.equal((await ask(`${service.url}/metrics`)).status, 404);
  assert.equal((await ask(`${operateUrlOf(service)}/metrics`)).status, 200);
});

test('an operate port in use stops the start with a sentence that names it', async (t) => {
  const { port } = new URL((await serviceIn(t)).url);
  const settings = { DATA_DIR: folderIn(t), PORT: 0, OPERATE_PORT: port, LOG_LEVEL: 'silent' };
  const { code, stderr } = await runCatalytic(['serve'], settings);
  assert.equal(code, 2);
  assert.equal(
    stderr,
    `catalytic: Cannot listen on 127.0.0.1:${port}: another program does; stop it, or choose another port: npm start -- --operate-port ${Number(port) + 1}\n`,
  );
});

test('operators may watch while clients are said farewell, and do not hold up the end', async (t) => {
  const service = await serviceIn(t, { OPERATE_PORT: 0, KEEP_ALIVE_SECONDS: 2 });
  const operateUrl = operateUrlOf(service);
  // Kept open on either side, with nothing asked.
  for (const url of [service.url, operateUrl]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => socket.destroy());
    socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
  }
  const beganMs = performance.now();
  const ended = service.end('SIGTERM');
  await delay(300);
  assert.equal((await ask(`${operateUrl}/metrics`)).status, 200);
  for (const url of [service.url, operateUrl]) assert.equal((await ask(`${url}/health/ready`)).status, 503, url);
  assert.equal(await ended, 0);
  const tookMs = performance.now() - beganMs;
  assert.ok(tookMs < 6000, `stopped after ${tookMs} ms`);
});

test(
  'the workers of a machine share both listeners, and a new one takes its place on both',
  needsPostgres(),
  async (t) => {
    const { url: databaseUrl } = await postgresIn(t);
    const service = await serviceIn(t, {
      ...behindProxy,
      DATABASE_URL: databaseUrl,
      WORKERS: 2,
      EXPOSE_WORKER: 1,
      DATABASE_POOL_SIZE: 4,
      DATABASE_MAX_OVERFLOW: 4,
    });
    const urls = [`${through('127.0.0.1', service)}/health/live`, `${operateUrlOf(service)}/metrics`];
    const workersAt = async (url: string): Promise<ReadonlySet<string>> => {
      const names = new Set<string>();
      for (let count = 0; count < 12; count++) {
        const answer = await ask(url);
        assert.equal(answer.status, 200, url);
        names.add(String(answer.headers.get('catalytic-worker')));
      }
      return names;
    };
    const before = await Promise.all(urls.map(workersAt));
    for (const names of before) assert.equal(names.size, 2);

    service.process.kill('SIGHUP');
    const isReplaced = (): boolean => service.output().split('Reloaded a worker').length === 3;
    for (let looks = 0; looks < 600 && !isReplaced(); looks++) await delay(50);
    for (const names of await Promise.all(urls.map(workersAt))) {
      assert.equal(names.size, 2);
      assert.ok(names.isDisjointFrom(before[0] ?? new Set()), 'the new workers serve both');
    }
    assert.equal(await service.end('SIGTERM'), 0);
  },
);
