import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { after, suite, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import { makeCertificate, placeCertificate } from '../harness/certificates.ts';
import { goodPassword, post, request } from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { needsHaproxy, startHaproxy } from '../harness/haproxy.ts';
import { metricsOf } from '../harness/metrics.ts';
import { needsPostgres, postgresIn } from '../harness/postgres.ts';
import { folderIn, type Service, serviceIn, sharedService } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

/** Addresses for documentation (RFC 5737). */
const [caller, invented] = ['192.0.2.7', '203.0.113.9'];

/** Registers an account with further headers, and returns the address in the row of its creation. */
const auditedAddress = async ({ url, dataDir }: Service, headers: Record<string, string>): Promise<unknown> => {
  const requestId = randomUUID();
  const { status, text } = await request(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-request-id': requestId, ...headers },
    body: JSON.stringify({ email: `${requestId}@example.com`, password: goodPassword }),
  });
  assert.equal(status, 201, text);
  return rowsOf(dataDir, 'select address from audit where request_id = ?', requestId)[0]?.['address'];
};

/** The log line of a refused request. */
const lineOf = async (service: Service, requestId: string): Promise<Record<string, unknown>> => {
  const line = () =>
    service
      .output()
      .split('\n')
      .find((text) => text.includes(requestId));
  await waitUntil('the service', 'write the line', 5000, () => line() !== undefined);
  return JSON.parse(String(line())) as Record<string, unknown>;
};

const loggedAddress = async (service: Service, headers: Record<string, string>): Promise<unknown> => {
  const requestId = randomUUID();
  await request(`${service.url}/auth/me`, { headers: { 'x-request-id': requestId, ...headers } });
  return (await lineOf(service, requestId))['address'];
};

const trusted = { TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/8', OPERATE_PORT: 0 };
const viaProtocol = { ...trusted, TRUSTED_PROXIES: '127.0.0.1', CALLER_ADDRESS_FROM: 'proxy-protocol' };

const behindProxies = sharedService({ after }, trusted);
// Lines of successes are not limited to some in a second.
const behindProtocol = sharedService({ after }, { ...viaProtocol, LOG_LEVEL: 'debug' });

suite('callers behind proxies', { concurrency: 2, timeout: 120_000 }, () => {
  test('audit trail and log hold the caller that a trusted proxy names', async () => {
    const service = await behindProxies();
    for (const headers of [
      { 'x-forwarded-for': `${invented}, ${caller}, 10.1.2.3` },
      { forwarded: `for=${invented};host=", for="${caller}:4711";proto=https, for=10.1.2.3` },
    ]) {
      assert.equal(await auditedAddress(service, headers), caller);
      assert.equal(await loggedAddress(service, headers), caller);
    }
    assert.equal(
      await auditedAddress(service, { 'x-forwarded-for': caller, forwarded: `for=${invented}` }),
      '127.0.0.1',
    );
    assert.equal(await auditedAddress(service, {}), '127.0.0.1');
  });

  test('a peer that is no trusted proxy names nobody, not even from this machine', async (t) => {
    const headers = { 'x-forwarded-for': caller, forwarded: `for=${caller}` };
    for (const settings of [{}, { ...trusted, TRUSTED_PROXIES: '10.0.0.0/8' }]) {
      const service = await serviceIn(t, settings);
      assert.equal(await auditedAddress(service, headers), '127.0.0.1');
      assert.equal(await loggedAddress(service, headers), '127.0.0.1');
    }
  });

  test('the header that is configured is the one that is read', async (t) => {
    const service = await serviceIn(t, { ...trusted, CALLER_ADDRESS_FROM: 'forwarded' });
    const headers = { 'x-forwarded-for': invented, forwarded: `for=${caller}` };
    assert.equal(await auditedAddress(service, headers), caller);
  });

  test('rows in PostgreSQL hold the caller too', needsPostgres(), async (t) => {
    const database = await postgresIn(t);
    const service = await serviceIn(t, { ...trusted, DATABASE_URL: database.url, WORKERS: 1 });
    const body = { email: 'caller@example.com', password: goodPassword };
    const { status } = await request(`${service.url}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': caller },
      body: JSON.stringify(body),
    });
    assert.equal(status, 201);
    const rows = await database.sql("select address from audit where event = 'user_created'");
    assert.deepEqual(rows, [[caller]]);
  });
});

const signature = '\r\n\r\n\0\r\nQUIT\n';
const v2Header = (command: number, address = caller): Buffer =>
  Buffer.concat([
    Buffer.from(signature, 'latin1'),
    Buffer.from([command, 0x11, 0, 12]),
    Buffer.from(address.split('.').map(Number)),
    Buffer.from([10, 0, 0, 1, 0x12, 0x67, 1, 0xbb]),
  ]);

const head = (requestId: string, path = '/auth/me', connection = 'keep-alive'): string =>
  `GET ${path} HTTP/1.1\r\nHost: id.example\r\nX-Request-Id: ${requestId}\r\nConnection: ${connection}\r\n\r\n`;

/** Reads until the service has answered, or has closed the connection. */
const answerOf = async (socket: ReturnType<typeof connect>): Promise<string> => {
  let answer = '';
  socket.on('error', () => {});
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.includes('"code"')) break;
  }
  return answer;
};

suite('the PROXY protocol', { concurrency: 2, timeout: 120_000 }, () => {
  test('either version names the caller, however its bytes are cut', async () => {
    const service = await behindProtocol();
    const port = Number(new URL(service.url).port);
    for (const [bytes, address] of [
      [Buffer.from(`PROXY TCP4 ${caller} 10.0.0.1 4711 443\r\n`), caller],
      [Buffer.from('PROXY UNKNOWN\r\n'), '127.0.0.1'],
      [v2Header(0x21), caller],
      [v2Header(0x20), '127.0.0.1'],
    ] as const)
      for (const cut of [undefined, 1, 14, bytes.length, bytes.length + 10]) {
        const requestId = randomUUID();
        const whole = Buffer.concat([bytes, Buffer.from(head(requestId, '/health/live', 'close'))]);
        const socket = connect({ host: '127.0.0.1', port, noDelay: true });
        socket.write(whole.subarray(0, cut));
        if (cut !== undefined) {
          await delay(30);
          socket.write(whole.subarray(cut));
        }
        assert.match(await answerOf(socket), /^HTTP\/1.1 200 /);
        assert.equal((await lineOf(service, requestId))['address'], address);
      }
  });

  test('requests that follow on the connection are of the same caller', async () => {
    const service = await behindProtocol();
    const ids = [randomUUID(), randomUUID(), randomUUID()];
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(service.url).port) });
    socket.write(Buffer.concat([v2Header(0x21), Buffer.from(`${head(String(ids[0]))}${head(String(ids[1]))}`)]));
    await delay(200);
    socket.write(head(String(ids[2])));
    for (const id of ids) assert.equal((await lineOf(service, id))['address'], caller);
    socket.destroy();
  });

  test('the header stands before TLS', async (t) => {
    const { cert, ...certificate } = makeCertificate();
    const service = await serviceIn(t, { ...viaProtocol, ...placeCertificate(folderIn(t), { cert, ...certificate }) });
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(service.url).port) });
    await once(socket, 'connect');
    socket.write(v2Header(0x21));
    const requestId = randomUUID();
    const secure = tlsConnect({ socket, ca: cert, servername: 'localhost' });
    secure.write(head(requestId));
    assert.match(await answerOf(secure), /token_missing/);
    assert.equal((await lineOf(service, requestId))['address'], caller);
  });

  test('a proxy whose connection begins otherwise is closed unanswered, and counted', async () => {
    const service = await behindProtocol();
    const port = Number(new URL(service.url).port);
    const cuts = async (): Promise<number> =>
      (await metricsOf(service))('catalytic_connections_cut_total{reason="proxy_header"}');
    const before = await cuts();
    const beginnings = [
      head(randomUUID()),
      `PROXY TCP4 ${caller}`.padEnd(200, ' '),
      `PROXY TCP4 localhost 10.0.0.1 1 2\r\n${head(randomUUID())}`,
      Buffer.concat([Buffer.from(signature, 'latin1'), Buffer.from([0x21, 0x11, 0xff, 0xff])]),
    ];
    for (const bytes of beginnings) {
      const socket = connect({ host: '127.0.0.1', port });
      socket.write(bytes);
      assert.equal(await answerOf(socket), '');
    }
    const silent = connect({ host: '127.0.0.1', port });
    const beganMs = performance.now();
    assert.equal(await answerOf(silent), '');
    assert.ok(performance.now() - beganMs < 10_000, 'a silent connection is not kept');
    assert.equal((await cuts()) - before, 5);
  });

  test('a peer that is no proxy speaks HTTP, and its header is no request', async (t) => {
    const service = await serviceIn(t, { ...viaProtocol, TRUSTED_PROXIES: '10.0.0.0/8' });
    assert.equal((await post(`${service.url}/auth/login`, {})).status, 400);
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(service.url).port) });
    socket.write(`PROXY TCP4 ${caller} 10.0.0.1 4711 443\r\n${head(randomUUID())}`);
    assert.match(await answerOf(socket), /request_malformed/);
  });
});

suite('HAProxy in front', { ...needsHaproxy(), concurrency: 3, timeout: 120_000 }, () => {
  for (const [about, start, proxyProtocol] of [
    ['X-Forwarded-For', behindProxies, undefined],
    ['the PROXY protocol, version 1', behindProtocol, 1],
    ['the PROXY protocol, version 2', behindProtocol, 2],
  ] as const)
    test(`it names the caller by ${about}, and its health checks are answered`, async (t) => {
      const service = await start();
      const proxy = await startHaproxy({
        servers: [{ host: '127.0.0.1', port: Number(new URL(service.url).port) }],
        ...(proxyProtocol && { proxyProtocol }),
      });
      t.after(() => proxy.close());
      const requestId = randomUUID();
      // HAProxy connects from 127.0.0.1.
      const socket = connect({ host: proxy.host, port: proxy.port, localAddress: '127.0.0.2' });
      socket.write(head(requestId));
      assert.match(await answerOf(socket), /token_missing/);
      assert.equal((await lineOf(service, requestId))['address'], '127.0.0.2');
      // A check that fails twice, 0.2 s apart, takes the server out.
      await delay(1000);
      assert.deepEqual(await proxy.states(), ['UP']);
    });
});
