/**
 * Imports over slow lines: what is bounded is a silence, and an import that is cut off says how far it came.
 * @module
 */
import assert from 'node:assert/strict';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import { suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { passwordHash, readLabKey } from '../harness/accounts.ts';
import { makeCertificate, placeCertificate } from '../harness/certificates.ts';
import { goodPassword } from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { folderIn, type Service, serviceIn } from '../harness/service.ts';

const timeoutMs = 1000;
const hash = passwordHash(goodPassword);
const lines = (first: number, count: number): string =>
  Array.from({ length: count }, (_, index) =>
    JSON.stringify({ email: `slow-${first + index}@example.com`, password_hash: hash }),
  )
    .map((line) => `${line}\n`)
    .join('');

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Readonly<Record<string, unknown>>;
}

/** Begins an import whose body the caller sends piece by piece. */
const beginImport = (
  t: TestContext,
  { url, dataDir }: Service,
): { readonly request: ClientRequest; readonly answer: Promise<Answer> } => {
  const send = url.startsWith('https:') ? httpsRequest : httpRequest;
  const request = send(`${url}/admin/accounts/import?tenant=lab`, {
    method: 'POST',
    rejectUnauthorized: false,
    headers: { 'content-type': 'application/x-ndjson', authorization: `Bearer ${readLabKey(dataDir)}` },
  });
  t.after(() => void request.destroy());
  const answer = new Promise<Answer>((resolve, reject) => {
    request.once('error', reject);
    request.once('response', async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) });
    });
  });
  answer.catch(() => {});
  return { request, answer };
};

const stored = ({ dataDir }: Service): number =>
  Number(rowsOf(dataDir, "select count(*) as found from account where email like 'slow-%'")[0]?.['found']);

suite('a slow import', { concurrency: 2 }, () => {
  for (const scheme of ['http', 'https'] as const)
    test(`that lasts three times the limit, without a long silence, is taken (${scheme})`, async (t) => {
      const files = scheme === 'https' ? placeCertificate(folderIn(t), makeCertificate()) : {};
      const service = await serviceIn(t, { REQUEST_TIMEOUT_MS: timeoutMs, ...files });
      const { request, answer } = beginImport(t, service);
      for (let sent = 0; sent < 10; sent += 1) {
        request.write(lines(sent * 10, 10));
        await delay(timeoutMs * 0.3);
      }
      request.end();
      const { status, body } = await answer;
      assert.deepEqual([status, body['imported']], [200, 100]);
    });

  test('that falls silent is cut off, says how many accounts it has stored, and goes on when it is repeated', async (t) => {
    const service = await serviceIn(t, { REQUEST_TIMEOUT_MS: timeoutMs });
    const { request, answer } = beginImport(t, service);
    // A whole batch, a part of one, and half a line.
    request.write(`${lines(0, 520)}{"email":"slow`);
    const sentMs = performance.now();
    const { status, headers, body } = await answer;
    assert.ok(performance.now() - sentMs > timeoutMs * 0.9);
    assert.deepEqual([status, body['code'], headers.connection], [408, 'request_timeout', 'close']);
    assert.match(String(body['detail']), /; 520 accounts were imported, 0 existed: send the import again/);
    assert.equal(stored(service), 520);
    const again = beginImport(t, service);
    again.request.end(lines(0, 600));
    assert.deepEqual((await again.answer).body, { imported: 80, existing: 520 });
  });

  test('is told how far it came when the service stops', async (t) => {
    const service = await serviceIn(t);
    const { request, answer } = beginImport(t, service);
    request.write(lines(0, 20));
    await delay(300);
    const ended = service.end('SIGINT');
    const { status, body } = await answer;
    assert.deepEqual([status, body['code']], [503, 'shutting_down']);
    assert.match(String(body['detail']), /; 20 accounts were imported/);
    assert.equal(await ended, 0);
    assert.equal(stored(service), 20);
  });

  test('is an exception: any other body that drips is refused as a whole, also one for the import without a key', async (t) => {
    const { url } = await serviceIn(t, { REQUEST_TIMEOUT_MS: timeoutMs });
    for (const [path, type] of [
      ['/auth/login', 'application/json'],
      ['/admin/accounts/import', 'application/x-ndjson'],
    ] as const) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      t.after(() => socket.destroy());
      let said = '';
      socket.on('data', (chunk) => {
        said += chunk.toString();
      });
      socket.on('error', () => {});
      socket.write(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 10000\r\n\r\n`);
      const beganMs = performance.now();
      const drip = setInterval(() => socket.write(' '), 100);
      while (!socket.closed && performance.now() - beganMs < 6000) await delay(50);
      clearInterval(drip);
      assert.ok(socket.closed, `${path} is held open`);
      assert.match(said, /^HTTP\/1\.1 4(01|08) /, path);
    }
  });
});
