/**
 * What a gateway is told by the service itself: whose request it is, on `GET /auth/verify` and, by
 * any method and path, on `/auth/gateway`.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { identityHeaderNames } from '@catalytic/protocol/identity-headers';
import { importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import { type Answer, get, goodPassword, logOut, signIn, signUp } from '../harness/client.ts';
import { decodeSegment } from '../harness/forge.ts';
import { assertProblem } from '../harness/problems.ts';
import { exchange, rawRequest } from '../harness/raw.ts';
import { serviceIn } from '../harness/service.ts';

const { url, dataDir } = await serviceIn({ after }, { CORS_ORIGINS: 'https://page.example' });
const { access } = await signUp(url, 'ada@example.com');
const withToken = (token: string): string => `Authorization: Bearer ${token}`;

const identityOf = ({ headers }: Answer): (string | null)[] =>
  Object.values(identityHeaderNames).map((name) => headers.get(name));

/** The identity of a token without roles and scopes. */
const plainIdentity = (token: string): string[] => {
  const { sub, tid, sid, exp } = decodeSegment(token, 1);
  return [String(sub), String(tid), String(sid), '', '', String(exp)];
};

test('verify names the owner of the token, on its fast path and past it, and any role survives the way', async () => {
  for (const path of ['/auth/verify', '/auth/verify?'])
    assert.deepEqual(identityOf(await get(`${url}${path}`, access)), plainIdentity(access), path);
  const roles = ['a,b', 'c d', 'ré%2C', '\r\nCatalytic-Subject: x', '管理', '💥', ''].filter((role) => role !== '');
  const line = JSON.stringify({ email: 'roles@example.com', password_hash: passwordHash(goodPassword), roles });
  assert.equal((await importLines(url, readLabKey(dataDir), line)).status, 200);
  const { access: token } = await signIn(url, 'roles@example.com', goodPassword, 'lab');
  const sent = (await get(`${url}/auth/verify`, token)).headers.get(identityHeaderNames.roles) ?? '';
  assert.match(sent, /^[\x21-\x7e]+$/);
  assert.deepEqual(sent.split(',').filter(Boolean).map(decodeURIComponent), roles);
});

test('a gateway is answered by any method, below any path, with any query and without a body', async () => {
  for (const method of ['GET', 'POST', 'HEAD', 'PUT', 'OPTIONS', 'DELETE', 'PROPFIND', 'TRACE'])
    for (const path of ['/auth/gateway', '/auth/gateway/', '/auth/gateway/notes//..?page=%zz&a']) {
      const headers = [withToken(access), 'Origin: https://page.example', 'Access-Control-Request-Method: GET'];
      const answer = await rawRequest(url, method, path, [...headers, 'Content-Length: 0']);
      assert.deepEqual([answer.status, answer.text], [200, ''], `${method} ${path}`);
      assert.deepEqual(identityOf(answer), plainIdentity(access), `${method} ${path}`);
      const [refused] = await exchange(url, `${method} ${path} HTTP/1.0\r\nOrigin: https://page.example\r\n\r\n`);
      assert.equal(refused?.status, 401, `${method} ${path}`);
    }
});

test('a body of a gateway is neither read nor waited for, and its connection ends', async () => {
  const head = `POST /auth/gateway/upload HTTP/1.1\r\nHost: x\r\n${withToken(access)}\r\n`;
  const smuggled = `GET /auth/gateway HTTP/1.1\r\nHost: x\r\n${withToken(access)}\r\n\r\n`;
  // Announced and never sent: what follows on the connection is no answer to somebody else.
  const unsent = await exchange(url, `${head}Content-Length: 5000\r\n\r\n`, 100, smuggled);
  assert.deepEqual([unsent.length, unsent[0]?.status, unsent[0]?.headers.get('connection')], [1, 200, 'close']);
  const sent = await exchange(
    url,
    `${head}Content-Type: application/json\r\nContent-Length: 400000\r\n\r\n`,
    '{'.repeat(400_000),
  );
  assert.deepEqual([sent.length, sent[0]?.status], [1, 200]);
});

test('neither a doubled token, nor a requirement that nothing checks, nor a dead token passes', async () => {
  const doubled = await rawRequest(url, 'GET', '/auth/gateway/x', [withToken(access), withToken(access)]);
  assertProblem(doubled, 'header_duplicated');
  assertProblem(await get(`${url}/auth/gateway?role=editor`, access), 'body_invalid');
  for (const path of ['/auth/gatewa', '/auth/gatewayed', '/auth/gateway%2fx'])
    assert.equal((await get(`${url}${path}`, access)).status, 404, path);
  assert.equal((await logOut(url, access)).status, 200);
  const dead = await get(`${url}/auth/gateway/x`, access);
  assertProblem(dead, 'token_revoked');
  assert.deepEqual(identityOf(dead), Array(6).fill(null));
});
