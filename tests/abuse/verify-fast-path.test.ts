/**
 * The fast path answers a verify with the very bytes that the stages behind it would have answered
 * with. `/auth/verify?` is the same request to those stages, and the fast path does not take it.
 * @module
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, test } from 'node:test';
import { get, logOut, signIn, signUp } from '../harness/client.ts';
import { decodeSegment, forge, openSigningKeys } from '../harness/forge.ts';
import { assertProblem } from '../harness/problems.ts';
import { serviceIn } from '../harness/service.ts';
import { badTokens, newStrangerKey, oddPayloads } from './bad-tokens.ts';

const email = 'owner@example.com';
const service = await serviceIn({ after }, { EXPOSE_WORKER: 1, LOGIN_CACHE_SECONDS: 3600 });
const { url, dataDir } = service;
const { access, refresh } = await signUp(url, email);
const [key] = openSigningKeys(dataDir);
assert.ok(key !== undefined);
const ingredients = { access, refreshToken: refresh, key, strangerKey: newStrangerKey() };

const crlf = '\r\n';

/** Everything the service sends on a connection until it closes it. */
const bytesOf = (request: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    socket.setTimeout(8000, () => socket.destroy(new Error('The service left the connection open')));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.once('error', reject);
    socket.once('close', () => resolve(text));
    socket.write(request, 'latin1');
  });

/**
 * Takes away the parts that must differ between any two answers: the time, and the request's id
 * with its length.
 */
const withoutChance = (answer: string): string => {
  const id = /"request_id":"([^"]*)"/.exec(answer)?.[1] ?? '';
  return answer
    .replace(/^Date: .*$/gm, 'Date: then')
    .replace(/^x-request-id: .*$/gm, 'x-request-id: one')
    .replace(`"${id}"`, '"one"')
    .replace(/^content-length: (\d+)/m, (_, length: string) => `content-length: ${Number(length) - id.length}`);
};

const request = (target: string, lines: readonly string[], method = 'GET', version = '1.1'): string =>
  [`${method} ${target} HTTP/${version}`, ...lines, '', ''].join(crlf);

const close = ['Host: localhost', 'Connection: close'];
const withToken = (token: string): string[] => [...close, `Authorization: Bearer ${token}`];

/** Sends the request to the fast path and past it. Returns the answer of both. */
const assertSame = async (about: string, lines: readonly string[], method?: string, version?: string) => {
  const [fast, slow] = await Promise.all(
    ['/auth/verify', '/auth/verify?'].map((target) => bytesOf(request(target, lines, method, version))),
  );
  assert.ok(fast !== undefined && fast !== '', `${about}: no answer`);
  assert.equal(withoutChance(fast), withoutChance(slow ?? ''), about);
  return fast;
};

const isYes = (answer: string): boolean => answer.startsWith('HTTP/1.1 200 ');

test('yes is the same in every byte, whatever else the head says', async () => {
  const token = `Authorization: Bearer ${access}`;
  const accepted: readonly (readonly [string, readonly string[], string?, string?])[] = [
    ['the plain request', withToken(access)],
    ['a scheme in other letters', [...close, `authorization: BEARER ${access}`]],
    ['a connection that is kept, then closed', ['Host: x', token, '', `GET /nowhere HTTP/1.1`, ...close]],
    ['HTTP/1.0', [token], 'GET', '1.0'],
    ['HTTP/1.0 that keeps the connection', ['Connection: keep-alive', token, '', 'GET / HTTP/1.0'], 'GET', '1.0'],
    ['a content type without a body', [...withToken(access), 'Content-Type: application/json']],
    ['an empty body', [...withToken(access), 'Content-Length: 0']],
    ['a condition', [...withToken(access), 'If-None-Match: *', 'Range: bytes=0-1']],
    ['an expectation', [...withToken(access), 'Expect: 100-continue']],
    ['a wish for less', [...withToken(access), 'Accept: text/html', 'Accept-Encoding: gzip']],
    ['an id of the client', [...withToken(access), 'X-Request-Id: a-request-of-mine']],
    ['a page of another origin', [...withToken(access), 'Origin: https://page.example']],
    ['HEAD', withToken(access), 'HEAD'],
  ];
  for (const [about, ...rest] of accepted) {
    const answer = await assertSame(about, ...rest);
    assert.match(answer, /HTTP\/1\.1 200 /, about);
  }
});

test('no is the same in every byte, for every bad token', async () => {
  await Promise.all(
    badTokens(ingredients).map(async ({ about, token }) =>
      assert.ok(!isYes(await assertSame(about, withToken(token))), about),
    ),
  );
});

test('odd payloads under a right signature are judged the same, the first time and again', async () => {
  await Promise.all(
    oddPayloads(ingredients).map(async ([about, payload]) => {
      const token = forge(key, payload);
      const first = await assertSame(about, withToken(token));
      assert.equal(withoutChance(await assertSame(about, withToken(token))), withoutChance(first), about);
    }),
  );
});

test('heads that could be read in two ways are refused although the token is remembered', async () => {
  const token = `Authorization: Bearer ${access}`;
  const refused: readonly (readonly [string, readonly string[], string?, string?])[] = [
    ['two tokens', [...withToken(access), token]],
    ['another token first', [...close, 'Authorization: Bearer other', token]],
    ['two hosts', ['Host: other', ...withToken(access)]],
    ['no host', ['Connection: close', token]],
    ['HTTP/2.0 in words', withToken(access), 'GET', '2.0'],
    ['length and chunks', [...withToken(access), 'Content-Length: 0', 'Transfer-Encoding: chunked']],
    ['another method', withToken(access), 'DELETE'],
    ['no scheme', [...close, `Authorization: ${access}`]],
    ['no token', close],
  ];
  for (const [about, ...rest] of refused) assert.ok(!isYes(await assertSame(about, ...rest)), about);
});

test('a token that the fast path has accepted is refused once it is signed out, has expired, or is of an old epoch', async () => {
  const leaving = await signIn(url, email);
  for (let time = 0; time < 3; time++) assert.ok(isYes(await assertSame('before', withToken(leaving.access))));
  assert.equal((await logOut(url, leaving.access)).status, 200);
  assertProblem(await get(`${url}/auth/verify`, leaving.access), 'token_revoked');
  await assertSame('after the sign-out', withToken(leaving.access));

  const claims = decodeSegment(access, 1);
  const short = forge(key, { ...claims, exp: Math.floor(Date.now() / 1000) + 2 });
  assert.ok(isYes(await assertSame('before it expires', withToken(short))));
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assertProblem(await get(`${url}/auth/verify`, short), 'token_expired');
});
