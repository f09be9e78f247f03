import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { argon2idCost } from '@catalytic/protocol/argon2id-cost';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { importAccounts, passwordHash } from '../harness/accounts.ts';
import { get, goodPassword, logOut, post, refresh, signIn, signUp, tokensOf } from '../harness/client.ts';
import { assertProblem } from '../harness/problems.ts';
import { freePort, serviceIn } from '../harness/service.ts';

// A fixed port: the issuer, and with it the metadata, names it.
const port = await freePort();
const service = await serviceIn({ after }, { PORT: port });
const { url, dataDir } = service;

test('an account goes from registration to sign-out, and everything it held is dead afterwards', async () => {
  const registered = await post(`${url}/auth/register`, { email: 'Ada.Lovelace@Example.com', password: goodPassword });
  assert.equal(registered.status, 201);
  assert.deepEqual(Object.keys(registered.body).sort(), ['account_id', 'email', 'tenant']);
  assert.deepEqual([registered.body['email'], registered.body['tenant']], ['Ada.Lovelace@Example.com', 'default']);

  const login = await post(`${url}/auth/login`, { email: 'ada.lovelace@example.COM', password: goodPassword });
  assert.deepEqual([login.body['token_type'], login.body['expires_in']], ['Bearer', 900]);
  const first = tokensOf(login);

  const sample = await get(`${url}/api/protected`, first.access);
  const claims = sample.body['claims'] as Record<string, unknown>;
  assert.deepEqual([sample.status, claims['sub'], claims['sid']], [200, registered.body['account_id'], first.session]);

  const verified = await get(`${url}/auth/verify`, first.access);
  const { active, sub, sid } = verified.body;
  assert.deepEqual([verified.status, active, sub, sid], [200, true, registered.body['account_id'], first.session]);

  const me = await get(`${url}/auth/me`, first.access);
  const { account_id, email, session_id } = me.body;
  assert.deepEqual(
    [me.status, account_id, email, session_id],
    [200, registered.body['account_id'], 'Ada.Lovelace@Example.com', first.session],
  );
  assert.ok(Math.abs(Date.parse(String(me.body['created_at'])) - Date.now()) < 60_000);

  const next = tokensOf(await refresh(url, first.refresh));
  assert.equal(next.session, first.session);
  assert.notEqual(next.access, first.access);
  assert.notEqual(next.refresh, first.refresh);
  for (const token of [first.access, next.access])
    assert.equal((await get(`${url}/auth/verify`, token)).status, 200, 'a refresh revokes nothing');

  const loggedOut = await logOut(url, next.access);
  assert.deepEqual([loggedOut.status, loggedOut.body], [200, { revoked: true, propagation: 'complete' }]);
  for (const token of [first.access, next.access])
    for (const path of ['/api/protected', '/auth/verify', '/auth/me'])
      assertProblem(await get(`${url}${path}`, token), 'token_revoked', path);
  for (const token of [first.refresh, next.refresh]) assertProblem(await refresh(url, token), 'session_ended');

  const repeated = await logOut(url, next.access);
  assert.deepEqual([repeated.status, repeated.body], [200, { revoked: true, propagation: 'complete' }]);
});

test('every answer about a sign-in forbids caches to keep it', async () => {
  const email = 'cache@example.com';
  const registered = await post(`${url}/auth/register`, { email, password: goodPassword });
  const login = await post(`${url}/auth/login`, { email, password: goodPassword });
  const { access, refresh: token } = tokensOf(login);
  const answers = [
    registered,
    login,
    await refresh(url, token),
    await get(`${url}/auth/verify`, access),
    await get(`${url}/auth/me`, access),
    await get(`${url}/api/protected`, access),
    await logOut(url, access),
    await post(`${url}/auth/logout-all`, undefined, (await signIn(url, email)).access),
    await get(`${url}/auth/verify`, access),
    await post(`${url}/auth/login`, { email, password: 'not the right password' }),
  ];
  for (const { headers, text } of answers) assert.equal(headers.get('cache-control'), 'no-store', text);
});

test('signing out everywhere ends every session of the account and nobody else’s, and a new sign-in works at once', async () => {
  const other = await signUp(url, 'bystander@example.com');
  const phone = await signUp(url, 'everywhere@example.com');
  const laptop = await signIn(url, 'everywhere@example.com');
  const refreshed = tokensOf(await refresh(url, laptop.refresh));

  const answer = await post(`${url}/auth/logout-all`, undefined, phone.access);
  assert.deepEqual([answer.status, answer.body], [200, { revoked: true, propagation: 'complete' }]);
  for (const token of [phone.access, laptop.access, refreshed.access])
    assertProblem(await get(`${url}/api/protected`, token), 'token_revoked');
  for (const token of [phone.refresh, laptop.refresh, refreshed.refresh])
    assertProblem(await refresh(url, token), 'session_ended');

  assert.equal((await get(`${url}/api/protected`, other.access)).status, 200);
  tokensOf(await refresh(url, other.refresh));

  const again = await signIn(url, 'everywhere@example.com');
  assert.equal((await get(`${url}/api/protected`, again.access)).status, 200);
  const next = tokensOf(await refresh(url, again.refresh));

  const repeated = await post(`${url}/auth/logout-all`, undefined, phone.access);
  assert.equal(repeated.status, 200, 'a repeat with the dead token makes the same promise again');
  for (const token of [again.access, next.access])
    assert.equal((await get(`${url}/api/protected`, token)).status, 200, 'a repeat ends no session opened since');
});

test('the token of a session that was signed out cannot sign the other sessions out', async () => {
  const kept = await signUp(url, 'stolen@example.com');
  const lost = await signIn(url, 'stolen@example.com');
  assert.equal((await logOut(url, lost.access)).status, 200);
  assertProblem(await post(`${url}/auth/logout-all`, undefined, lost.access), 'token_revoked');
  assert.equal((await get(`${url}/api/protected`, kept.access)).status, 200);
  tokensOf(await refresh(url, kept.refresh));
});

test('signing out one session leaves the other sessions of the account alone', async () => {
  const one = await signUp(url, 'two-devices@example.com');
  const two = await signIn(url, 'two-devices@example.com');
  assert.equal((await logOut(url, one.access)).status, 200);
  assert.equal((await get(`${url}/api/protected`, two.access)).status, 200);
  tokensOf(await refresh(url, two.refresh));
});

test('the same email in two tenants is two accounts', async () => {
  const email = 'twice@example.com';
  const here = await signUp(url, email, 'the password of the default tenant');
  await importAccounts(url, dataDir, [email]);
  assertProblem(await post(`${url}/auth/login`, { email, password: goodPassword }), 'credentials_invalid');
  assertProblem(
    await post(`${url}/auth/login`, { email, password: 'the password of the default tenant', tenant: 'lab' }),
    'credentials_invalid',
  );
  const there = await signIn(url, email, goodPassword, 'lab');
  const [me, other] = [await get(`${url}/auth/me`, here.access), await get(`${url}/auth/me`, there.access)];
  assert.notEqual(me.body['account_id'], other.body['account_id']);
  assert.notEqual(me.body['tenant_id'], other.body['tenant_id']);
  assert.equal((await post(`${url}/auth/logout-all`, undefined, there.access)).status, 200);
  assert.equal((await get(`${url}/api/protected`, here.access)).status, 200);
  const login = { email, password: goodPassword };
  for (const tenant of ['lab', 'none'])
    assertProblem(await post(`${url}/auth/register`, { ...login, tenant }), 'registration_refused', tenant);
  assertProblem(await post(`${url}/auth/login`, { ...login, tenant: 'none' }), 'credentials_invalid');
});

test('an account is registered once, whatever the case of its email', async () => {
  const email = 'once@example.com';
  const answers = await Promise.all(
    [email, 'ONCE@example.com', 'Once@Example.Com', email].map((spelling) =>
      post(`${url}/auth/register`, { email: spelling, password: goodPassword }),
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409]);
  for (const answer of answers) if (answer.status !== 201) assertProblem(answer, 'email_taken');
});

test('a wrong password and an unknown account get the same answer', async () => {
  await signUp(url, 'known@example.com');
  const wrong = await post(`${url}/auth/login`, { email: 'known@example.com', password: 'wrong horse wrong battery' });
  const unknown = await post(`${url}/auth/login`, {
    email: 'nobody@example.com',
    password: 'wrong horse wrong battery',
  });
  for (const answer of [wrong, unknown]) assertProblem(answer, 'credentials_invalid');
  const visible = ({ body, headers }: typeof wrong) => [
    { ...body, request_id: '' },
    [...headers.keys()].filter((name) => name !== 'date'),
  ];
  assert.deepEqual(visible(wrong), visible(unknown));
});

test('an independent library verifies the token against the published keys and metadata', async () => {
  const { access } = await signUp(url, 'jose@example.com');
  const metadata = await get(`${url}/.well-known/oauth-authorization-server`);
  assert.equal(metadata.status, 200);
  assert.equal(metadata.body['issuer'], url, 'the issuer is where the service answers (RFC 8414 section 3.3)');
  assert.deepEqual(metadata.body['response_types_supported'], ['none']);
  const keys = createRemoteJWKSet(new URL(String(metadata.body['jwks_uri'])));
  const { payload, protectedHeader } = await jwtVerify(access, keys, {
    issuer: String(metadata.body['issuer']),
    audience: url,
    typ: 'at+jwt',
    algorithms: ['ES256'],
    requiredClaims: ['sub', 'iat', 'exp', 'jti', 'sid', 'tid', 'client_id', 'amr', 'auth_time', 'aep', 'tep'],
  });
  assert.deepEqual(Object.keys(protectedHeader).sort(), ['alg', 'kid', 'typ']);
  const { exp, iat, nbf } = payload;
  assert.deepEqual([Number(exp) - Number(iat), nbf], [900, Number(iat) - 60]);
  const behind = { issuer: url, currentDate: new Date(Date.now() - 30_000) };
  await assert.doesNotReject(jwtVerify(access, keys, behind), 'a verifier whose clock is behind takes a fresh token');
  assert.ok(Math.abs(Number(iat) - Date.now() / 1000) < 60);
});

test('the published keys hold public members only, and each is named by its thumbprint', async () => {
  const jwks = await get(`${url}/.well-known/jwks.json`);
  const keys = jwks.body['keys'] as Record<string, string>[];
  assert.equal(keys.length, 1);
  for (const { kid, alg, use, crv, kty, x, y, ...rest } of keys) {
    assert.deepEqual([alg, use, rest], ['ES256', 'sig', {}]);
    const thumbprint = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
    assert.equal(kid, thumbprint);
  }
  assert.match(String(jwks.headers.get('cache-control')), /^public, max-age=\d+$/);
});

test('a hash made by another implementation signs in', async () => {
  assert.match(passwordHash(goodPassword), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.deepEqual(argon2idCost, { memoryKib: 19_456, passes: 2, parallelism: 1 });
  await importAccounts(url, dataDir, ['node-crypto@example.com']);
  await signIn(url, 'node-crypto@example.com', goodPassword, 'lab');
});

test('both health checks answer while the service serves', async () => {
  const [live, ready] = [await get(`${url}/health/live`), await get(`${url}/health/ready`)];
  assert.deepEqual(
    [live.status, live.body, ready.status, ready.body],
    [200, { status: 'alive' }, 200, { status: 'ready' }],
  );
});
