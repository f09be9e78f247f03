/**
 * Introspection (RFC 7662) and revocation (RFC 7009) of tokens.
 * @module
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { addAdminKey } from '../harness/admin-key.ts';
import { type Answer, get, logOut, post, refresh, request, signIn, signUp, tokensOf } from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { decodeSegment } from '../harness/forge.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { basic, basicOf, clientIdOf, postForm } from '../harness/oauth.ts';
import { oauthLibraries } from '../harness/oauth-libraries.ts';
import { assertIsOauthError } from '../harness/problems.ts';
import { freePort, serviceIn } from '../harness/service.ts';

// The issuer names the port, and libraries find the endpoints by the issuer.
const { url, dataDir } = await serviceIn({ after }, { PORT: await freePort() });
const operator = addAdminKey(dataDir, ['tenants:write', 'accounts:write', 'accounts:read']);
await post(`${url}/admin/tenants`, { name: 'acme', registration: 'open' }, operator);
const acmeUser = { email: 'ada@acme.example', password: 'analytical engine no 1', tenant: 'acme' };
assert.equal((await post(`${url}/auth/register`, acmeUser)).status, 201);
const signInAtAcme = async () => signIn(url, acmeUser.email, acmeUser.password, 'acme');

const guardKey = addGuardKey(dataDir);
const acmeGuard = addGuardKey(dataDir, { tenant: 'acme' });
const acmeAdmin = addAdminKey(dataDir, ['accounts:read', 'accounts:write'], 'acme');

const introspect = (token: string, key = guardKey, hint = 'access_token'): Promise<Answer> =>
  postForm(`${url}/oauth/introspect`, { token, token_type_hint: hint }, basicOf(key));
const revoke = (token: string, key?: string): Promise<Answer> =>
  postForm(`${url}/oauth/revoke`, { token }, key === undefined ? undefined : basicOf(key));

const assertInactive = (answer: Answer, about: string): void => {
  assert.deepEqual([answer.status, answer.text], [200, '{"active":false}'], about);
  assert.equal(answer.headers.get('cache-control'), 'no-store', about);
};

const assertRefused = (answer: Answer, status: number, error: string, code: string, about: string): void => {
  assertIsOauthError(answer, about);
  assert.deepEqual([answer.status, answer.body['error'], answer.body['code']], [status, error, code], about);
};

const isLive = async (access: string): Promise<boolean> => (await get(`${url}/auth/verify`, access)).status === 200;

test('an active access token shows its claims, and nothing that only the service uses', async () => {
  const { access } = await signUp(url, 'ada@example.com');
  const answer = await introspect(access);
  const { aep: _aep, tep: _tep, scope: _none, ...claims } = decodeSegment(access, 1);
  assert.deepEqual(answer.body, { active: true, token_type: 'Bearer', ...claims });
  assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store']);
  assert.equal(answer.headers.get('content-type'), 'application/json; charset=utf-8');
});

test('a token that is not accepted now is inactive, and nothing else is told of it', async () => {
  const { access } = await signUp(url, 'inactive@example.com');
  const { access: changed } = await signUp(url, 'changed@example.com');
  assert.equal((await introspect(access)).body['active'], true);
  assert.equal((await logOut(url, access)).status, 200);
  const account = decodeSegment(changed, 1)['sub'];
  const roles = await post(`${url}/admin/accounts/${account}/roles`, { roles: ['editor'] }, operator);
  assert.equal(roles.status, 200, roles.text);
  const [head, payload, signature = ''] = (await signInAtAcme()).access.split('.');
  for (const [about, token] of [
    ['signed out', access],
    ['outdated', changed],
    ['forged', `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`],
    ['no token', 'mF_9.B5f-4.1JqM'],
    ['a spelling with a space', `${access} `],
    ['unknown', 'crt_45ghiukldjahdnhzdauz'],
    ['a key', guardKey],
    ['very long', 'a'.repeat(60_000)],
    ['no text', '\u0000\ud800'.toWellFormed()],
  ] as const)
    for (const key of [guardKey, operator]) assertInactive(await introspect(token, key), about);
});

test('the examples of RFC 7662: their clients are refused, and to one of ours their tokens are inactive', async () => {
  for (const [form, theirs] of [
    ['token=mF_9.B5f-4.1JqM&token_type_hint=access_token', 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW'],
    ['token=2YotnFZFEjr1zCsicMWpAA', 'Bearer 23410913-abewfq.123483'],
  ] as const) {
    const refused = await postForm(`${url}/oauth/introspect`, form, theirs);
    assertRefused(refused, 401, 'invalid_client', 'client_invalid', theirs);
    assertInactive(await postForm(`${url}/oauth/introspect`, form, basicOf(guardKey)), form);
  }
});

test('a key of one tenant sees the tokens of no other', async () => {
  const { access: own, refresh: ownRefresh } = await signInAtAcme();
  const { access: foreign, refresh: foreignRefresh } = await signUp(url, 'foreign@example.com');
  for (const key of [acmeGuard, acmeAdmin]) {
    assert.equal((await introspect(own, key)).body['active'], true);
    assertInactive(await introspect(foreign, key), 'foreign');
  }
  assert.equal((await introspect(ownRefresh, acmeAdmin)).body['active'], true);
  assertInactive(await introspect(foreignRefresh, acmeAdmin), 'foreign refresh token');
});

test('a refresh token is shown to an admin key, is not used up, and opens no resource', async () => {
  const { access, refresh: first } = await signUp(url, 'refresh@example.com');
  const { sub, sid, tid, iss, auth_time, client_id, amr } = decodeSegment(access, 1);
  for (const hint of ['refresh_token', 'access_token', 'nonsense', '']) {
    const { body } = await introspect(first, operator, hint);
    const { exp, ...rest } = body;
    const left = Number(exp) - Date.now() / 1000;
    assert.ok(left > 604_000 && left <= 604_801, String(exp));
    const facts = { iss, sub, sid, tid, client_id, amr, auth_time };
    assert.deepEqual(rest, { active: true, token_type: 'N_A', ...facts }, hint);
    assertInactive(await introspect(first, guardKey, hint), 'a resource server would let it in');
  }
  const second = tokensOf(await refresh(url, first));
  const third = tokensOf(await refresh(url, second.refresh));
  assertInactive(await introspect(first, operator), 'used');
  assert.equal((await introspect(third.refresh, operator)).body['active'], true, 'no theft was seen');
  await logOut(url, third.access);
  assertInactive(await introspect(third.refresh, operator), 'ended');
});

test('a client authenticates by one of two ways, and is challenged where it fails', async () => {
  const { access: token } = await signUp(url, 'client@example.com');
  const id = clientIdOf(guardKey);
  const percent = [...guardKey].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
  const expired = addGuardKey(dataDir, { expiresAtMs: 1 });
  const powerless = addAdminKey(dataDir, ['audit:read']);
  const post = { client_id: id, client_secret: guardKey };
  const accepted: readonly (readonly [string, Readonly<Record<string, string>>, string | undefined])[] = [
    ['as it is', {}, basic(id, guardKey)],
    ['form-encoded, every letter', {}, basic(id, percent)],
    ['the scheme in capitals', {}, basicOf(guardKey).replace('Basic', 'BASIC')],
    ['the same id in the body', { client_id: id }, basic(id, guardKey)],
    ['empty fields', { client_id: '', client_secret: '' }, basic(id, guardKey)],
    ['in the body', post, undefined],
    ['fields that are not known', { ...post, resource: 'x', __proto__: 'y' }, undefined],
  ];
  for (const [about, form, header] of accepted) {
    const answer = await postForm(`${url}/oauth/introspect`, { token, ...form }, header);
    assert.equal(answer.body['active'], true, `${about} ${answer.text}`);
  }
  const refused = [
    ['none', {}, undefined, 401, 'invalid_client', 'client_missing'],
    ['no secret', { client_id: id }, undefined, 401, 'invalid_client', 'client_missing'],
    ['no id', { client_secret: guardKey }, undefined, 401, 'invalid_client', 'client_invalid'],
    ['another id', {}, basic('s6BhdRkqt3', guardKey), 401, 'invalid_client', 'client_invalid'],
    ['another secret', {}, basic(id, 'gX1fBat3bV'), 401, 'invalid_client', 'client_invalid'],
    ['an unknown guard key', {}, basicOf('cgk_unknown'), 401, 'invalid_client', 'guard_key_invalid'],
    ['an unknown admin key', {}, basicOf('cak_unknown'), 401, 'invalid_client', 'admin_key_invalid'],
    ['a key that has expired', {}, basicOf(expired), 401, 'invalid_client', 'guard_key_expired'],
    ['a key without the right', {}, basicOf(powerless), 400, 'unauthorized_client', 'admin_scope_insufficient'],
    ['a bearer', {}, `Bearer ${guardKey}`, 401, 'invalid_client', 'client_invalid'],
    ['no base64', {}, 'Basic %', 401, 'invalid_client', 'client_invalid'],
    ['no colon', {}, `Basic ${btoa('x')}`, 401, 'invalid_client', 'client_invalid'],
    ['half an escape', {}, basic(id, '%'), 401, 'invalid_client', 'client_invalid'],
    ['a refresh token as the secret', {}, basicOf('crt_x'), 401, 'invalid_client', 'client_invalid'],
    ['both ways', post, basic(id, guardKey), 400, 'invalid_request', 'body_invalid'],
    ['two clients', { client_id: 'x' }, basic(id, guardKey), 400, 'invalid_request', 'body_invalid'],
  ] as const;
  for (const [about, form, header, status, error, code] of refused) {
    const answer = await postForm(`${url}/oauth/introspect`, { token, ...form }, header);
    assertRefused(answer, status, error, code, about);
    assert.doesNotMatch(answer.text, /cgk_|cak_/, about);
  }
});

test('requests that are no honest forms are refused', async () => {
  const authorization = basicOf(guardKey);
  for (const path of ['introspect', 'revoke']) {
    const endpoint = `${url}/oauth/${path}`;
    for (const [about, form, status, code] of [
      ['no token', 'token_type_hint=access_token', 400, 'body_invalid'],
      ['an empty token', 'token=', 400, 'body_invalid'],
      ['two tokens', 'token=a&token=b', 400, 'body_malformed'],
      ['two hints', 'token=a&token_type_hint=b&token_type_hint=b', 400, 'body_malformed'],
      ['two secrets, one encoded', 'token=a&client_secret=b&client%5Fsecret=c', 400, 'body_malformed'],
      ['nothing', '', 400, 'body_invalid'],
      ['much', `token=${'a'.repeat(70_000)}`, 413, 'body_too_large'],
    ] as const)
      assertRefused(await postForm(endpoint, form, authorization), status, 'invalid_request', code, about);
    const inQuery = await postForm(`${endpoint}?token=a`, 'token=a', authorization);
    assertRefused(inQuery, 400, 'invalid_request', 'body_invalid', 'a token in the URL');
    const headers = { 'content-type': 'application/json', authorization };
    const asJson = await request(endpoint, { method: 'POST', headers, body: '{"token":"a"}' });
    assertRefused(asJson, 415, 'invalid_request', 'content_type_unsupported', 'JSON');
    assert.equal((await get(endpoint)).status, 405);
  }
});

test('whoever holds a token revokes it, and it is dead when the answer comes; so is a repeat', async () => {
  for (const kind of ['access', 'refresh'] as const)
    for (const key of [undefined, operator]) {
      const tokens = await signIn(url, acmeUser.email, acmeUser.password, 'acme');
      const { access, refresh: refreshToken, session } = tokens;
      for (let times = 0; times < 2; times++) {
        const answer = await revoke(tokens[kind], key);
        assert.deepEqual(
          [answer.status, answer.body, answer.headers.get('cache-control')],
          [200, { revoked: true, propagation: 'complete' }, 'no-store'],
        );
        assert.equal((await get(`${url}/auth/verify`, access)).body['code'], 'token_revoked');
        assertInactive(await introspect(access), 'revoked');
        assertInactive(await introspect(refreshToken, operator), 'revoked');
        assert.equal((await refresh(url, refreshToken)).body['code'], 'session_ended');
      }
      const ends = rowsOf(dataDir, "select actor from audit where session_id = ? and reason = 'logout'", session);
      assert.deepEqual(
        ends.map(({ actor }) => actor),
        [key === undefined ? 'self' : `key:${clientIdOf(operator)}`],
      );
    }
});

test('the example of RFC 7009: a client that is not known is refused, an unknown token is none', async () => {
  const form = 'token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token';
  const authorization = 'Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW';
  const refused = await postForm(`${url}/oauth/revoke`, form, authorization);
  assertRefused(refused, 401, 'invalid_client', 'client_invalid', 'the client of the example');
  for (const token of ['45ghiukldjahdnhzdauz', 'crt_45ghiukldjahdnhzdauz', 'a.b.c', `${await forged()}`])
    for (const key of [undefined, operator, acmeAdmin]) assert.equal((await revoke(token, key)).status, 200, token);
});

const forged = async (): Promise<string> => {
  const [head, payload, signature = ''] = (await signInAtAcme()).access.split('.');
  return `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
};

test('a guard key, a key without the right, and a key of another tenant sign nobody out', async () => {
  const { access, refresh: refreshToken } = await signUp(url, 'kept@example.com');
  const reader = addAdminKey(dataDir, ['accounts:read']);
  for (const token of [access, refreshToken, 'a.b.c'])
    for (const [key, code] of [
      [guardKey, 'client_unauthorized'],
      [acmeGuard, 'client_unauthorized'],
      [reader, 'admin_scope_insufficient'],
    ] as const)
      assertRefused(await revoke(token, key), 400, 'unauthorized_client', code, token);
  for (const token of [access, refreshToken])
    assertRefused(await revoke(token, acmeAdmin), 400, 'unauthorized_client', 'client_unauthorized', token);
  assert.ok(await isLive(access));
  assert.equal((await refresh(url, refreshToken)).status, 200);
  const { access: own } = await signInAtAcme();
  assert.equal((await revoke(own, acmeAdmin)).status, 200);
  assert.ok(!(await isLive(own)));
});

test('a key is no token: to answer that it is revoked would not be true', async () => {
  for (const token of [guardKey, operator])
    for (const key of [undefined, operator])
      assertRefused(await revoke(token, key), 400, 'unsupported_token_type', 'revocation_unsupported', token);
  assert.equal((await introspect('x')).status, 200);
});

test('libraries that speak OAuth find the endpoints, introspect and revoke', async () => {
  const { access: dead } = await signInAtAcme();
  await logOut(url, dead);
  for (const { name, introspect, revoke } of await oauthLibraries(url, acmeGuard)) {
    const { access } = await signInAtAcme();
    assert.equal(await introspect(access), decodeSegment(access, 1)['sub'], name);
    assert.equal(await introspect(dead), undefined, name);
    await revoke(access);
    assert.equal(await introspect(access), undefined, name);
    await revoke(access);
  }
});
