import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as tlsConnect } from 'node:tls';
import type { ErrorCode } from '@catalytic/protocol/errors';
import { makeCertificate, placeCertificate } from '../harness/certificates.ts';
import { post } from '../harness/client.ts';
import { metricsOf } from '../harness/metrics.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { exchange, rawRequest } from '../harness/raw.ts';
import { folderIn, type Service, type Settings, serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const account = { email: 'ada@example.com', password: 'nine lanterns over the harbour' };
const registration = JSON.stringify(account);
const head = (path: string, ...headers: readonly string[]): string =>
  `${[`POST ${path} HTTP/1.1`, 'Host: x', 'Content-Type: application/json', ...headers].join('\r\n')}\r\n\r\n`;

/** What clients send that then send nothing more. */
const silences: Readonly<Record<string, string>> = {
  nothing: '',
  'half a head': 'GET /health/live HTTP/1.1\r\nHost: x\r\n',
  'half a body': `${head('/auth/register', 'Content-Length: 100')}{"email":`,
  'an expectation': 'GET /health/live HTTP/1.1\r\nHost: x\r\nExpect: a\r\n\r\n',
  'no request': 'GET\r\n\r\n',
};

/** A connection whose client never closes its side. */
const hold = async (t: TestContext, url: string, bytes: string, hasHandshake = true): Promise<Socket> => {
  const { port, protocol } = new URL(url);
  const isTls = protocol === 'https:' && hasHandshake;
  const place = { port: Number(port), host: '127.0.0.1', allowHalfOpen: true };
  const socket = isTls ? tlsConnect({ ...place, rejectUnauthorized: false }) : connect(place);
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  await once(socket, isTls ? 'secureConnect' : 'connect');
  socket.write(bytes);
  return socket;
};

/** Waits until the service has closed its side, or all of the connection. */
const untilClosed = (socket: Socket): Promise<unknown> =>
  socket.closed
    ? Promise.resolve()
    : new Promise((resolve) => socket.resume().once('end', resolve).once('close', resolve));

/** A figure of the service; the scrape itself is one open connection. */
const figureOf = async (service: Service, series: string): Promise<number> => (await metricsOf(service))(series);
const openOf = (service: Service): Promise<number> => figureOf(service, 'catalytic_connections_open');

/** Waits until nothing is open but the connection that looks. */
const untilAllClosed = (service: Service, msMax: number): Promise<void> =>
  waitUntil('the service', 'close every connection', msMax, async () => (await openOf(service)) <= 1);

const tlsFiles = (t: TestContext): Settings => {
  const root = makeCertificate({ names: ['Test Root'], isAuthority: true });
  return placeCertificate(folderIn(t), makeCertificate({ issuer: root }));
};

const places: readonly (readonly [string, (t: TestContext) => Settings, (service: Service) => string])[] = [
  ['the public listener', () => ({}), ({ url }) => url],
  ['the public listener, over TLS', tlsFiles, ({ url }) => url],
  ['the operate listener', () => ({}), operateUrlOf],
];

suite('connections of clients that hold them', { concurrency: 3, timeout: 120_000 }, () => {
  for (const [place, settings, urlOf] of places)
    test(`${place} lets go of every client that was refused and does not close`, async (t) => {
      const service = await serviceIn(t, { REQUEST_TIMEOUT_MS: 1000, OPERATE_PORT: 0, ...settings(t) });
      const url = urlOf(service);
      await Promise.all(
        Object.values(silences)
          .flatMap((bytes) => [bytes, bytes, bytes])
          .map((bytes) => hold(t, url, bytes)),
      );
      // Nor does a handshake that is never finished hold one.
      if (url.startsWith('https:')) await hold(t, url, '', false);
      await untilAllClosed(service, 8000);
    });

  test('a request that was answered 408 is not carried out when its rest arrives', async (t) => {
    const { url } = await serviceIn(t, { REQUEST_TIMEOUT_MS: 1000 });
    const socket = await hold(t, url, head('/auth/register', `Content-Length: ${registration.length}`));
    socket.write(registration.slice(0, 20));
    const [answer] = await once(socket, 'data');
    assert.match(String(answer), /^HTTP\/1\.1 408 /);
    socket.write(registration.slice(20));
    await delay(1500);
    assert.equal((await post(`${url}/auth/login`, account)).status, 401, 'there is no such account');
  });

  test('the answer of a refusal reaches a client that goes on sending', async (t) => {
    const { url } = await serviceIn(t, { REQUEST_TIMEOUT_MS: 15_000 });
    const refused: readonly (readonly [ErrorCode, string])[] = [
      ['request_malformed', 'GET\r\n\r\n'],
      ['header_invalid', head('/auth/login', 'Expect: a', 'Content-Length: 9000000')],
      ['body_too_large', head('/auth/login', 'Connection: close', 'Content-Length: 9000000')],
      ['token_missing', head('/auth/password', 'Connection: close', 'Content-Length: 9000000')],
    ];
    for (const [code, bytes] of refused) {
      const socket = (await hold(t, url, bytes)).pause();
      // A reset would end this client at its next write, before it has read anything.
      for (let piece = 0; piece < 8; piece++) {
        await delay(30);
        socket.write(Buffer.alloc(60_000, 'x'));
      }
      let answer = '';
      socket.on('data', (chunk: Buffer) => {
        answer += chunk.toString();
      });
      await untilClosed(socket);
      assert.match(answer, new RegExp(`^HTTP/1.1 4.*"code":"${code}"`, 's'));
    }
  });

  test('input that is no request is refused after the answers to the requests before it', async (t) => {
    const { url } = await serviceIn(t);
    const login = head('/auth/login', `Content-Length: ${registration.length}`) + registration;
    const answers = await exchange(url, `${login}GET\r\n\r\n`);
    assert.deepEqual(
      answers.map(({ body }) => body['code']),
      ['credentials_invalid', 'request_malformed'],
    );
  });

  for (const isTls of [false, true])
    test(`a full service makes room${isTls ? ', over TLS,' : ''} for a request at the cost of a connection that sends none`, async (t) => {
      const service = await serviceIn(t, { MAX_CONNECTIONS: 20, OPERATE_PORT: 0, ...(isTls && tlsFiles(t)) });
      const bytes = Object.values(silences).slice(0, 3);
      const held: Socket[] = [];
      for (let index = 0; index < 20; index++) {
        const isShaken = index % 2 === 0 || !isTls;
        held.push(await hold(t, service.url, isShaken ? (bytes[index % 3] ?? '') : '', isShaken));
      }
      const first = held[0] as Socket;
      const closed = untilClosed(first);
      const asking = await hold(t, service.url, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
      assert.match(String((await once(asking, 'data'))[0]), /^HTTP\/1\.1 200 /);
      await closed;
      assert.equal(await openOf(service), 21, 'the others stay, and the scrape is one more');
      assert.equal(await figureOf(service, 'catalytic_connections_cut_total{reason="displaced"}'), 1);
    });

  test('clients that reopen their silent connections for ever keep no room from others', async (t) => {
    const service = await serviceIn(t, { MAX_CONNECTIONS: 20, OPERATE_PORT: 0 });
    let isOver = false;
    const reopen = async (bytes: string): Promise<void> => {
      while (!isOver) {
        const socket = await hold(t, service.url, bytes);
        await untilClosed(socket);
        socket.destroy();
        await delay(50);
      }
    };
    const reopening = Array.from({ length: 20 }, (_, index) => reopen(Object.values(silences)[index % 3] ?? ''));
    let served = 0;
    for (let asked = 0; asked < 100; asked++) {
      const { status } = await rawRequest(service.url, 'GET', '/health/live').catch(() => ({ status: 0 }));
      if (status === 200) served++;
    }
    isOver = true;
    await service.end('SIGKILL');
    await Promise.all(reopening.map((one) => Promise.race([one, delay(2000)])));
    assert.ok(served >= 95, `${served} of 100 served`);
  });

  test('localhost is one address, with the same limits', async (t) => {
    const service = await serviceIn(t, { HOST: 'localhost', MAX_CONNECTIONS: 20, OPERATE_PORT: 0 });
    for (let index = 0; index < 25; index++) await hold(t, service.url, '');
    const displaced = 'catalytic_connections_cut_total{reason="displaced"}';
    await waitUntil('the service', 'make room', 5000, async () => (await figureOf(service, displaced)) === 5);
    const other = connect({ host: '::1', port: Number(new URL(service.url).port) });
    t.after(() => other.destroy());
    const seen = await Promise.race([once(other, 'connect'), once(other, 'error').then(() => 'refused')]).catch(
      () => 'refused',
    );
    assert.equal(seen, 'refused');
  });
});
