import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { importJWK, jwtVerify } from 'jose';
import { type Answer, get, logOut, post, refresh, request, signIn, signUp, tokensOf } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { decodeSegment, forge, openSigningKeys, twinSignature } from '../harness/forge.ts';
import { assertIsProblem, assertProblem } from '../harness/problems.ts';
import { rawRequest } from '../harness/raw.ts';
import { serviceIn } from '../harness/service.ts';
import { badTokens, newStrangerKey, oddPayloads } from './bad-tokens.ts';

const service = await serviceIn({ after }, { ISSUER: 'https://auth.example' });
const { url, dataDir } = service;
const { access, refresh: refreshToken, session } = await signUp(url, 'owner@example.com');
const [key] = openSigningKeys(dataDir);
assert.ok(key !== undefined);
const ingredients = { access, refreshToken, key, strangerKey: newStrangerKey() };
const claims = decodeSegment(access, 1);

const guarded: readonly (readonly [string, string])[] = [
  ['GET', '/api/protected'],
  ['GET', '/auth/verify'],
  ['GET', '/auth/me'],
  ['POST', '/auth/logout'],
  ['POST', '/auth/logout-all'],
];

/** By hand: a client library would trim or refuse what some of these tokens hold. */
const ask = (method: string, path: string, authorization: string): Promise<Answer> =>
  rawRequest(url, method, path, [`Authorization: ${authorization}`]);

test('a token signed with the key of the service is accepted: the tricks below fail for what they change', async () => {
  const token = forge(key, { ...claims, jti: 'forged' });
  assert.equal((await ask('GET', '/api/protected', `Bearer ${token}`)).status, 200);
});

test('each bad token is refused with its own code', async (t) => {
  for (const { about, token, expected } of badTokens(ingredients))
    await t.test(about, async () => {
      const code = assertIsProblem(await ask('GET', '/auth/verify', `Bearer ${token}`), about);
      assert.ok(expected === code || expected.includes(code), `${about}: ${code} instead of ${expected}`);
    });
});

test('no route accepts a bad token, and none of them ends the session', async () => {
  for (const { about, token, expected } of badTokens(ingredients)) {
    if (about.startsWith('of an old epoch')) continue;
    for (const [method, path] of guarded) {
      // Whoever holds a genuine token may give it up before its time: it may have been dated by a clock that was ahead.
      if (path.startsWith('/auth/logout') && expected === 'token_not_yet_valid') continue;
      // An expired token ends its own session and no other: a person who comes back late signs out.
      if (path === '/auth/logout' && expected === 'token_expired') continue;
      const code = assertIsProblem(await ask(method, path, `Bearer ${token}`), `${path} with ${about}`);
      assert.match(code, /^token_/);
    }
  }
  assert.equal((await get(`${url}/api/protected`, access)).status, 200);
  assert.equal(rowsOf(dataDir, 'select ended_at from session where id = ?', session)[0]?.['ended_at'], null);
});

test('no spelling of a dead token is alive', async () => {
  const dead = await signIn(url, 'owner@example.com');
  assert.equal((await logOut(url, dead.access)).status, 200);
  for (const { about, token } of badTokens({ ...ingredients, access: dead.access }))
    assertIsProblem(await ask('GET', '/api/protected', `Bearer ${token}`), about);
  const [head, payload, signature = ''] = dead.access.split('.');
  const twin = twinSignature(Buffer.from(signature, 'base64url'));
  // The twin is a right signature for any other verifier: only our own rule refuses it.
  await jwtVerify(`${head}.${payload}.${twin.toString('base64url')}`, await importJWK(key.publicJwk, 'ES256'));
  // Signed anew, other bytes, other jti: still the same session.
  assertProblem(
    await get(`${url}/api/protected`, forge(key, { ...decodeSegment(dead.access, 1), jti: 'new' })),
    'token_revoked',
  );
});

test('a token whose signature was checked once is judged anew at every use', async () => {
  const exp = Math.floor(Date.now() / 1000) + 2;
  const short = forge(key, { ...claims, exp });
  assert.equal((await get(`${url}/api/protected`, short)).status, 200);
  await delay(exp * 1000 - Date.now() + 20);
  assertProblem(await get(`${url}/api/protected`, short), 'token_expired');
  assertProblem(await post(`${url}/auth/logout-all`, undefined, short), 'token_expired');
});

test('payloads without the claims of an issuer bring nothing down', async () => {
  const victim = await signUp(url, 'victim@example.com');
  const ownerClaims = oddPayloads({ ...ingredients, access: victim.access });
  for (const [about, payload] of ownerClaims)
    for (const [method, path] of guarded) {
      const answer = await ask(method, path, `Bearer ${forge(key, payload)}`);
      assert.ok(answer.status < 500, `${path} with ${about}: ${answer.status} ${answer.text}`);
      if (answer.status >= 400) assertIsProblem(answer, `${path} with ${about}`);
    }
  assert.equal((await get(`${url}/health/ready`)).status, 200);
});

test('a token that lacks a claim, or has it in another type, is refused however well it is signed', async () => {
  for (const name of Object.keys(claims))
    for (const value of [undefined, null, {}, 0.5, [1]]) {
      // This one is optional.
      if (name === 'nbf' && value === undefined) continue;
      const answer = await get(`${url}/api/protected`, forge(key, { ...claims, [name]: value }));
      assert.match(assertIsProblem(answer, `${name} = ${JSON.stringify(value)}`), /^token_/);
    }
});

const schemes: readonly (readonly [string, 200 | 'token_missing' | 'token_malformed'])[] = [
  [`Bearer ${access}`, 200],
  [`bearer ${access}`, 200],
  [`BEARER ${access}`, 200],
  [`Bearer  ${access}`, 'token_malformed'],
  [`Bearer\t${access}`, 'token_missing'],
  [`Bearer${access}`, 'token_missing'],
  [`Bearer: ${access}`, 'token_missing'],
  [`Bearer=${access}`, 'token_missing'],
  [`Bearer Bearer ${access}`, 'token_malformed'],
  [`Basic ${access}`, 'token_missing'],
  [`DPoP ${access}`, 'token_missing'],
  [`Token ${access}`, 'token_missing'],
  [access, 'token_missing'],
  ['Bearer', 'token_missing'],
  ['Bearer ', 'token_missing'],
  ['', 'token_missing'],
];
test('only the bearer scheme with one space carries a token', async () => {
  for (const [authorization, expected] of schemes) {
    const answer = await ask('GET', '/api/protected', authorization);
    const about = authorization.replace(access, 'TOKEN');
    if (expected === 200) assert.equal(answer.status, 200, about);
    else assertProblem(answer, expected, about);
  }
});

test('white space around the header value is no part of it, as HTTP says', async () => {
  assert.equal((await ask('GET', '/api/protected', ` \tBearer ${access} \t`)).status, 200);
});

test('a token anywhere but in the header is not looked at', async () => {
  for (const path of [`/api/protected?access_token=${access}`, `/api/protected?token=${access}`])
    assertProblem(await get(`${url}${path}`), 'token_missing');
  for (const name of [
    'Cookie',
    'X-Access-Token',
    'Proxy-Authorization',
    'X-Forwarded-Authorization',
    'Sec-WebSocket-Protocol',
  ])
    assertProblem(await rawRequest(url, 'GET', '/api/protected', [`${name}: Bearer ${access}`]), 'token_missing', name);
  assertProblem(
    await rawRequest(url, 'GET', '/api/protected', [`Cookie: access_token=${access}; Authorization=Bearer ${access}`]),
    'token_missing',
  );
  const body = await request(`${url}/auth/logout-all`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ access_token: access }),
  });
  assertProblem(body, 'token_missing');
  assertProblem(await post(`${url}/auth/logout`, { access_token: access }), 'body_invalid');
});

test('an access token is no refresh token', async () => {
  assertProblem(await refresh(url, access.slice(0, 256)), 'refresh_invalid');
  assertProblem(await post(`${url}/auth/refresh`, { refresh_token: access }), 'body_invalid');
});

test('a token of another tenant’s account with our session ends nothing of ours', async () => {
  const mine = await signUp(url, 'mine@example.com');
  const other = await signUp(url, 'other@example.com');
  const crossed = forge(key, { ...decodeSegment(other.access, 1), tid: 'another-tenant' });
  await post(`${url}/auth/logout-all`, undefined, crossed);
  assert.equal((await get(`${url}/api/protected`, mine.access)).status, 200);
});

test('a key that retires takes its tokens along, remembered signatures or not', async () => {
  const mine = await signUp(url, 'retire@example.com');
  assert.equal((await get(`${url}/api/protected`, mine.access)).status, 200);
  withDatabase(dataDir, (database) => {
    database.prepare('update signing_key set retires_at = ? where kid = ?').run(Date.now() - 1, key.kid);
  });
  try {
    await delay(1300);
    assertProblem(await get(`${url}/api/protected`, mine.access), 'token_key_unknown');
    assertProblem(await post(`${url}/auth/logout-all`, undefined, mine.access), 'token_key_unknown');
  } finally {
    withDatabase(dataDir, (database) => database.exec('update signing_key set retires_at = null'));
    await delay(1300);
  }
  assert.equal((await get(`${url}/api/protected`, mine.access)).status, 200);
  tokensOf(await refresh(url, mine.refresh));
});

test('after all of it the same process serves, and has logged no failure', async () => {
  assert.equal((await get(`${url}/health/ready`)).status, 200);
  assert.equal(service.process.exitCode, null);
  assert.ok(!/"level":"(error|fatal)"/.test(service.output()), 'an error was logged');
});
