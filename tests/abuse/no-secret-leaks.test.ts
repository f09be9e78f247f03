import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { importAccounts, importLines, passwordHash, readLabKey } from '../harness/accounts.ts';
import {
  type Answer,
  get,
  goodPassword,
  logOut,
  post,
  refresh,
  request,
  signIn,
  signUp,
  tokensOf,
} from '../harness/client.ts';
import { withDatabase } from '../harness/database.ts';
import { openSigningKeys } from '../harness/forge.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { basicOf, clientIdOf, postForm } from '../harness/oauth.ts';
import { assertIsOauthError, assertIsProblem } from '../harness/problems.ts';
import { exchange, rawRequest } from '../harness/raw.ts';
import { runCatalytic, serviceIn } from '../harness/service.ts';
import { badRequests, unfinishedRequests } from './bad-requests.ts';
import { badTokens, newStrangerKey } from './bad-tokens.ts';

const masterKey = Buffer.from('canary master key of 32 bytes ok').toString('base64');
const settings = {
  CATALYTIC_MASTER_KEY: masterKey,
  LOG_LEVEL: 'trace',
  REQUEST_TIMEOUT_MS: 1000,
  REFRESH_GRACE_SECONDS: 1,
  LOGIN_CACHE_SECONDS: 60,
};
const service = await serviceIn({ after }, settings);
const { url, dataDir } = service;

/** Everything that must stay between the client and the service, by what it is. */
const canaries = new Map<string, string>([
  ['the master key', masterKey],
  ['the master key in hexadecimal', Buffer.from(masterKey, 'base64').toString('hex')],
  ['the master key in plain text', 'canary master key'],
  ['a password', goodPassword],
  ['part of a password', 'lanterns'],
  ['an email', 'canary-abuse@example.com'],
  ['the name in an email', 'canary'],
  ['the lab key', readLabKey(dataDir)],
]);
const guardToken = (about: string, token: string): void => {
  canaries.set(about, token);
  token.split('.').forEach((part, index) => {
    // The header of an access token is no secret.
    if (index > 0) canaries.set(`${about}, segment ${index}`, part);
  });
};
const refusals: { readonly about: string; readonly answer: Answer }[] = [];
const collect = (about: string, answer: Answer | undefined): void => {
  if (answer !== undefined && answer.status >= 400) refusals.push({ about, answer });
};

test('the service is led through every success and every error', async () => {
  const email = 'canary-owner@example.com';
  const tokens = await signUp(url, email);
  const next = tokensOf(await refresh(url, tokens.refresh));
  const other = await signIn(url, email);
  await importAccounts(url, dataDir, ['canary-lab@example.com']);
  for (const { access } of [tokens, next]) {
    await get(`${url}/api/protected`, access);
    await get(`${url}/auth/me`, access);
  }
  guardToken('an access token', tokens.access);
  guardToken('a refreshed access token', next.access);
  guardToken('a refresh token', tokens.refresh);
  guardToken('its successor', next.refresh);
  guardToken('another refresh token', other.refresh);

  const hash = passwordHash(goodPassword);
  canaries.set('a password hash', hash);
  const key = readLabKey(dataDir);
  for (const line of [
    JSON.stringify({ email: 'canary', password_hash: hash }),
    JSON.stringify({ email, password_hash: goodPassword }),
    `{"email":"${email}","password_hash":"${hash}"`,
  ])
    collect('an import', await importLines(url, key, line));
  collect('an import elsewhere', await importLines(url, key, '', ''));
  collect('an unknown key', await importLines(url, `${key}x`, ''));

  for (const { about, pieces } of badRequests)
    for (const answer of await exchange(url, ...pieces)) collect(about, answer);
  const slow = await Promise.all(unfinishedRequests.map(({ pieces }) => exchange(url, ...pieces)));
  for (const answer of slow.flat()) collect('an unfinished request', answer);

  const [signingKey] = openSigningKeys(dataDir, masterKey);
  assert.ok(signingKey !== undefined);
  canaries.set('the private key', String(signingKey.privateKey.export({ format: 'jwk' }).d));
  const ingredients = {
    access: next.access,
    refreshToken: next.refresh,
    key: signingKey,
    strangerKey: newStrangerKey(),
  };
  for (const { about, token } of badTokens(ingredients))
    collect(about, await rawRequest(url, 'GET', '/api/protected', [`Authorization: Bearer ${token}`]));

  for (const path of [
    `/auth/verify?access_token=${next.access}`,
    `/${next.refresh}`,
    `/auth/${email}`,
    `/auth/login?password=${encodeURIComponent(goodPassword)}`,
  ])
    collect(path.slice(0, 12), await get(`${url}${path}`));
  for (const secret of [next.access, next.refresh, key, email, goodPassword])
    collect('a secret as id', await request(`${url}/auth/verify`, { headers: { 'x-request-id': secret } }));
  collect('a wrong password', await post(`${url}/auth/login`, { email, password: 'canary, but the wrong one' }));
  collect('a taken email', await post(`${url}/auth/register`, { email, password: goodPassword }));
  collect('the email as password', await post(`${url}/auth/register`, { email, password: email }));
  await delay(1100);
  collect('a replay', await refresh(url, tokens.refresh));
  collect('a dead session', await refresh(url, next.refresh));
  collect('a dead token', await get(`${url}/auth/me`, next.access));
  const guardKey = addGuardKey(dataDir);
  for (const secret of [guardKey, `${guardKey}x`])
    for (const token of [tokens.access, next.refresh])
      for (const form of [{ token }, { token, client_id: clientIdOf(secret), client_secret: secret }])
        for (const path of ['introspect', 'revoke'])
          collect('a client', await postForm(`${url}/oauth/${path}`, form, basicOf(secret)));
  canaries.set('a guard key', guardKey);
  canaries.set('a guard key in HTTP Basic', basicOf(guardKey).slice('Basic '.length));
  collect('a sign-out', await logOut(url, other.access));
  collect('a sign-out everywhere with a dead token', await post(`${url}/auth/logout-all`, undefined, other.access));
});

test('the service is led through failures of its own', async () => {
  const email = 'canary-failing@example.com';
  const tokens = await signUp(url, email);
  guardToken('a token of the failing time', tokens.access);
  guardToken('a refresh token of the failing time', tokens.refresh);
  withDatabase(dataDir, (database) =>
    database.exec('alter table refresh_token rename to hidden_token; alter table journal rename to hidden_journal'),
  );
  try {
    const failures = [
      await post(`${url}/auth/login`, { email, password: goodPassword }),
      await refresh(url, tokens.refresh),
      await logOut(url, tokens.access),
    ];
    assert.deepEqual(
      failures.map((answer) => assertIsProblem(answer)),
      ['store_unavailable', 'store_unavailable', 'revocation_unknown'],
    );
    for (const answer of failures) collect('a failing database', answer);
  } finally {
    withDatabase(dataDir, (database) =>
      database.exec('alter table hidden_token rename to refresh_token; alter table hidden_journal rename to journal'),
    );
  }
  assert.match(service.output(), /"level":"error"/, 'the failure is in the log');
  await signIn(url, email);
});

test('no error answer repeats a secret', () => {
  assert.ok(refusals.length > 300, `only ${refusals.length} refusals seen`);
  for (const { about, answer } of refusals) {
    if (answer.body['error'] === undefined) assertIsProblem(answer, about);
    else assertIsOauthError(answer, about);
    const whole = `${answer.text}\n${JSON.stringify([...answer.headers])}`;
    for (const [name, canary] of canaries) assert.ok(!whole.includes(canary), `${about} repeats ${name}`);
    assert.ok(!/\n\s*at |node:|node_modules|\.ts:|sqlite/i.test(whole), `${about} shows the inside: ${whole}`);
  }
});

test('nothing the process has printed holds a secret, even at the finest log level', async () => {
  assert.equal(await service.end(), 0);
  const output = service.output();
  assert.match(output, /"msg":"Serving"/, 'the search looks at what was printed');
  for (const [name, canary] of canaries) assert.ok(!output.includes(canary), `the output holds ${name}`);
});

test('the command line shows no key but the one it was asked to make', async () => {
  const commands = [
    ['keys', 'list'],
    ['keys', 'rotate'],
    ['serve', '--help'],
    ['admin-keys', 'create', '--help'],
  ];
  for (const command of commands) {
    const { code, stdout, stderr } = await runCatalytic(command, {
      ...(command.includes('--help') ? {} : { DATA_DIR: dataDir }),
      CATALYTIC_MASTER_KEY: masterKey,
    });
    assert.equal(code, 0, stderr);
    for (const [name, canary] of canaries) assert.ok(!(stdout + stderr).includes(canary), `${command} shows ${name}`);
  }
});
