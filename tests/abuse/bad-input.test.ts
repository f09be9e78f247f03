import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { readLabKey } from '../harness/accounts.ts';
import { type Answer, get, goodPassword, post, signIn, signUp } from '../harness/client.ts';
import { assertProblem } from '../harness/problems.ts';
import { exchange, rawRequest, requestBytes } from '../harness/raw.ts';
import { serviceIn } from '../harness/service.ts';
import type { BadRequest } from './bad-bodies.ts';
import { badRequests, unfinishedRequests } from './bad-requests.ts';

const service = await serviceIn({ after }, { REQUEST_TIMEOUT_MS: 1000, LOG_LEVEL: 'debug' });
const { url } = service;
const { access } = await signUp(url, 'honest@example.com');

const assertExpected = (answer: Answer | undefined, { about, expected }: BadRequest): void => {
  assert.ok(answer !== undefined, `${about}: no answer`);
  if (expected === 200) assert.equal(answer.status, 200, `${about}: ${answer.text}`);
  else assertProblem(answer, expected, about);
};

test('each bad request is refused with its own code, and none as a failure of the service', async (t) => {
  for (const bad of badRequests)
    await t.test(bad.about, async () => {
      const answers = await exchange(url, ...bad.pieces);
      assert.equal(answers.length, 1, `one answer: ${answers.map(({ status }) => status)}`);
      assertExpected(answers[0], bad);
    });
});

test('a client that does not finish its request is told so and cut off', async () => {
  await Promise.all(
    unfinishedRequests.map(async (bad) => {
      const start = performance.now();
      const answers = await exchange(url, ...bad.pieces);
      assertExpected(answers[0], bad);
      assert.ok(performance.now() - start < 5000, bad.about);
    }),
  );
});

test('a refusal of the body names the field', async () => {
  const field = async (body: unknown) => {
    const { body: problem } = await post(`${url}/auth/login`, body);
    return (problem['errors'] as { field: string }[])[0]?.field;
  };
  assert.equal(await field({ email: 'a@example.com' }), '/password');
  assert.equal(await field({ email: 1, password: 'x' }), '/email');
  assert.equal(await field({ email: 'a@example.com', password: 'x', admin: true }), '/admin');
  assert.equal(await field({ email: 'a@example.com', password: '\ud800' }), '/password');
  assert.equal(await field([]), '/');
});

test('a wrong method is told which method is right', async () => {
  for (const [path, allow] of [
    ['/auth/login', 'POST'],
    ['/auth/register', 'POST'],
    ['/auth/verify', 'GET, HEAD'],
    ['/.well-known/jwks.json', 'GET, HEAD'],
  ] as const) {
    const answer = await rawRequest(url, 'DELETE', path);
    assertProblem(answer, 'method_unsupported', path);
    assert.equal(answer.headers.get('allow'), allow);
  }
});

test('an answer to HEAD has the headers of GET and no body', async () => {
  const [head] = await exchange(url, 'HEAD /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.deepEqual([head?.status, head?.text], [200, '']);
});

test('a sign-out takes no body, but does not mind a named content type', async () => {
  const authorization = `Authorization: Bearer ${(await signIn(url, 'honest@example.com')).access}`;
  const withBody = await rawRequest(
    url,
    'POST',
    '/auth/logout',
    [authorization, 'Content-Type: application/json'],
    '{"all":true}',
  );
  assertProblem(withBody, 'body_invalid');
  const wrongType = await rawRequest(url, 'POST', '/auth/logout', [authorization, 'Content-Type: text/plain'], 'all');
  assertProblem(wrongType, 'content_type_unsupported');
  const empty = await rawRequest(url, 'POST', '/auth/logout', [authorization, 'Content-Type: application/json']);
  assert.equal(empty.status, 200, empty.text);
});

test('a request without content may name any content type', async () => {
  const bearer = (token: string): string => `Authorization: Bearer ${token}`;
  const leaving = bearer((await signIn(url, 'honest@example.com')).access);
  const types = ['application/x-www-form-urlencoded', 'text/plain; charset=utf-16', 'application/grpc', '', 'no type'];
  const unknown = '00000000-0000-4000-8000-000000000000';
  for (const type of types) {
    for (const [length, text] of [
      [[], ''],
      [['Content-Length: 0'], ''],
      [['Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ] as const) {
      if (text !== '' && !type.includes('/')) continue;
      const about = `${type} ${length[0]}`;
      const headers = [`Content-Type: ${type}`, ...length];
      const path = `/auth/sessions/${unknown}`;
      const ended = await rawRequest(url, 'DELETE', path, [bearer(access), ...headers], text);
      assertProblem(ended, 'session_not_found', about);
      const signedOut = await rawRequest(url, 'POST', '/auth/logout', [leaving, ...headers], text);
      assert.equal(signedOut.status, 200, `${about}: ${signedOut.text}`);
    }
  }
});

test('content that is what it says is taken: any spelling of UTF-8, and no coding', async () => {
  for (const type of ['application/json; charset=utf-8', 'application/json;charset="UTF-8"; x=y', 'Application/JSON'])
    for (const coding of ['identity', 'Identity']) {
      const headers = [`Content-Type: ${type}`, `Content-Encoding: ${coding}`];
      const body = JSON.stringify({ email: 'honest@example.com', password: goodPassword });
      assert.equal((await rawRequest(url, 'POST', '/auth/login', headers, body)).status, 200, type);
    }
});

test('a refused content coding names the one that is accepted', async () => {
  const headers = ['Content-Type: application/json', 'Content-Encoding: gzip'];
  const answer = await rawRequest(url, 'POST', '/auth/login', headers, '{}');
  assertProblem(answer, 'content_encoding_unsupported');
  assert.equal(answer.headers.get('accept-encoding'), 'identity');
});

test('every 401 has one challenge, of the one scheme that the service takes', async () => {
  const refused: readonly [string, unknown, string | undefined][] = [
    ['/auth/login', { email: 'honest@example.com', password: 'x' }, undefined],
    ['/auth/refresh', { refresh_token: 'crt_x' }, undefined],
    ['/auth/logout', undefined, undefined],
    ['/auth/logout', undefined, 'x.y.z'],
    ['/admin/tenants', { name: 'a' }, undefined],
    ['/admin/tenants', { name: 'a' }, 'cak_x'],
  ];
  for (const [path, body, token] of refused) {
    const answer = await post(`${url}${path}`, body, token);
    assert.equal(answer.status, 401, path);
    assert.match(String(answer.headers.get('www-authenticate')), /^Bearer realm="catalytic"(, error="[a-z_]+", .+)?$/);
  }
});

test('the id of a request says nothing of the requests before it', async () => {
  const idOf = async (): Promise<string> => String((await get(`${url}/auth/verify`)).headers.get('x-request-id'));
  const ids = await Promise.all([idOf(), idOf(), idOf()]);
  assert.equal(new Set(ids.map((id) => id.slice(0, 8))).size, 3, ids.join(' '));
});

test('an unknown query parameter is refused where the caller is known', async () => {
  assertProblem(await get(`${url}/auth/verify?verbose=1`, access), 'body_invalid');
  assertProblem(await post(`${url}/auth/logout?all=1`, undefined, access), 'body_invalid');
  assert.equal((await get(`${url}/auth/verify`, access)).status, 200, 'and nothing has happened');
});

test('a NUL does not cut a password short', async () => {
  const email = 'nul@example.com';
  await signUp(url, email, `${goodPassword}\u0000and more`);
  for (const password of [goodPassword, `${goodPassword}\u0000`, `${goodPassword}\u0000and other`])
    assertProblem(await post(`${url}/auth/login`, { email, password }), 'credentials_invalid');
});

test('a password is whole: neither trimmed, nor folded, nor cut at any length', async () => {
  const email = 'whole@example.com';
  const password = ` ${'Ab cd é'.repeat(36)}`;
  await signUp(url, email, password);
  for (const wrong of [password.trim(), password.slice(0, -1), password.toLowerCase(), `${password} `])
    assertProblem(await post(`${url}/auth/login`, { email, password: wrong }), 'credentials_invalid');
  await signIn(url, email, password.normalize('NFD'));
});

test('after a refusal by the pipeline the connection still serves; after one by the parser it does not', async () => {
  const live = requestBytes('GET', '/health/live');
  const keep = (request: Buffer): string => request.toString('latin1').replace('Connection: close\r\n', '');
  const badBody = keep(requestBytes('POST', '/auth/login', ['Content-Type: application/json'], '{}'));
  const [first, second] = await exchange(url, Buffer.concat([Buffer.from(badBody), live]));
  assertProblem(first as Answer, 'body_invalid');
  assert.equal(second?.status, 200);

  const smuggled = keep(
    requestBytes('POST', '/auth/login', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  );
  const answers = await exchange(url, Buffer.concat([Buffer.from(smuggled), live]));
  assert.equal(answers.length, 1, 'what follows on the connection is not read');
  assertProblem(answers[0] as Answer, 'request_malformed');
});

test('fifty pipelined requests are answered in order', async () => {
  const one = 'GET /auth/verify HTTP/1.1\r\nHost: x\r\n\r\n';
  const two = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
  const answers = await exchange(url, (one + two).repeat(25) + requestBytes('GET', '/nowhere').toString());
  assert.deepEqual(
    answers.map(({ status }) => status),
    [...Array.from({ length: 25 }, () => [401, 200]).flat(), 404],
  );
});

test('a client that hangs up in the middle of a body is no failure of the service', async () => {
  const key = readLabKey(service.dataDir);
  for (const head of [
    'POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{',
    `POST /admin/accounts/import?tenant=lab HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/x-ndjson\r\nContent-Length: 90\r\n\r\n{`,
  ]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head);
    await delay(100);
    socket.resetAndDestroy();
  }
  await delay(100);
});

test('after all of it the same process serves, and has logged no failure', async () => {
  assert.equal((await get(`${url}/health/ready`)).status, 200);
  assert.equal((await get(`${url}/api/protected`, access)).status, 200);
  assert.equal(service.process.exitCode, null);
  assert.ok(!/"level":"(error|fatal)"/.test(service.output()), 'an error was logged');
});
