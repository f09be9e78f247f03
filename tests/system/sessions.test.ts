import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import {
  type Answer,
  get,
  goodPassword,
  logOut,
  post,
  refresh,
  remove,
  signIn,
  signUp,
  tokensOf,
} from '../harness/client.ts';
import { rowsOf } from '../harness/database.ts';
import { decodeSegment, forge, openSigningKeys } from '../harness/forge.ts';
import { assertIsProblem, assertProblem } from '../harness/problems.ts';
import { serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

// The login cache is on: a password change must reach it, and sign-ins of a test cost no hash.
const { url, dataDir } = await serviceIn(
  { after },
  { MAX_SESSIONS_PER_ACCOUNT: 10, LOGIN_CACHE_SECONDS: 300, HASH_QUEUE_MS: 60_000 },
);
const revoked = { revoked: true, propagation: 'complete' };
const nextPassword = 'ten lanterns over the harbour';

interface Listed {
  readonly id: string;
  readonly current: boolean;
}

const listed = ({ body }: Answer): readonly Listed[] => body['sessions'] as readonly Listed[];
const change = (access: string, current_password: string, new_password: string): Promise<Answer> =>
  post(`${url}/auth/password`, { current_password, new_password }, access);

test('a person sees their sessions, newest first, and ends one of them from another', async () => {
  const phone = await signUp(url, 'sessions@example.com');
  const laptop = await signIn(url, 'sessions@example.com');
  const stranger = await signUp(url, 'stranger@example.com');

  const answer = await get(`${url}/auth/sessions`, laptop.access);
  assert.deepEqual([answer.status, answer.headers.get('cache-control')], [200, 'no-store']);
  assert.deepEqual(
    listed(answer).map(({ id, current }) => [id, current]),
    [
      [laptop.session, true],
      [phone.session, false],
    ],
  );
  assert.deepEqual(Object.keys(listed(answer)[0] ?? {}), [
    ...['id', 'created_at', 'authenticated_at', 'expires_at', 'current'],
  ]);

  for (const id of [stranger.session, randomUUID()])
    assertProblem(await remove(`${url}/auth/sessions/${id}`, laptop.access), 'session_not_found', id);
  assert.equal((await get(`${url}/auth/verify`, stranger.access)).status, 200);
  for (const id of ['1', phone.session.toUpperCase(), `${phone.session}%00`, `${phone.session}'`])
    assertProblem(await remove(`${url}/auth/sessions/${id}`, laptop.access), 'body_invalid', id);

  for (let repeat = 0; repeat < 2; repeat++) {
    const ended = await remove(`${url}/auth/sessions/${phone.session}`, laptop.access);
    assert.deepEqual([ended.status, ended.body], [200, revoked]);
    assertProblem(await get(`${url}/auth/verify`, phone.access), 'token_revoked');
  }
  assertProblem(await refresh(url, phone.refresh), 'session_ended');
  assert.deepEqual(
    listed(await get(`${url}/auth/sessions`, laptop.access)).map(({ id }) => id),
    [laptop.session],
  );

  assert.equal((await remove(`${url}/auth/sessions/${laptop.session}`, laptop.access)).status, 200);
  assertProblem(await get(`${url}/auth/sessions`, laptop.access), 'token_revoked');
  assertProblem(await remove(`${url}/auth/sessions/${phone.session}`, laptop.access), 'token_revoked');
});

test('a person who comes back after the access token has expired signs out with it, and with nothing that is not theirs', async () => {
  const { access, refresh: token } = await signUp(url, 'late@example.com');
  const other = await signIn(url, 'late@example.com');
  const [key] = openSigningKeys(dataDir);
  assert.ok(key !== undefined);
  const claims = { ...decodeSegment(access, 1), exp: Math.floor(Date.now() / 1000) - 3600 };
  const expired = forge(key, claims);
  assertProblem(await get(`${url}/auth/verify`, expired), 'token_expired');
  for (const path of ['/auth/logout-all', '/auth/password'])
    assertProblem(await post(`${url}${path}`, undefined, expired), 'token_expired', path);
  assertProblem(await logOut(url, forge(key, { ...claims, iss: 'https://other.example' })), 'token_issuer_wrong');
  assertProblem(await logOut(url, `${expired.slice(0, -8)}AAAAAAAA`), 'token_signature_invalid');
  assert.equal((await get(`${url}/auth/verify`, access)).status, 200);
  for (let repeat = 0; repeat < 2; repeat++) {
    const ended = await logOut(url, expired);
    assert.deepEqual([ended.status, ended.body], [200, revoked], ended.text);
    assertProblem(await get(`${url}/auth/verify`, access), 'token_revoked');
  }
  assertProblem(await refresh(url, token), 'session_ended');
  assert.equal((await get(`${url}/auth/verify`, other.access)).status, 200);
});

test('a client without an access token signs out with a refresh token of the session, even a used one', async () => {
  const signOut = (refresh_token?: string) =>
    post(`${url}/auth/logout`, refresh_token === undefined ? {} : { refresh_token });
  const phone = await signUp(url, 'refresher@example.com');
  const laptop = await signIn(url, 'refresher@example.com');
  const next = tokensOf(await refresh(url, phone.refresh));
  assertProblem(await signOut(), 'token_missing');
  assertProblem(await post(`${url}/auth/logout`), 'token_missing');
  assertProblem(await signOut('crt_unknown'), 'refresh_invalid');
  assertProblem(await post(`${url}/auth/logout`, { refresh: next.refresh }), 'body_invalid');
  for (const token of [phone.refresh, next.refresh, phone.refresh]) {
    const ended = await signOut(token);
    assert.deepEqual([ended.status, ended.body], [200, revoked], ended.text);
    assertProblem(await get(`${url}/auth/verify`, next.access), 'token_revoked');
  }
  assertProblem(await refresh(url, next.refresh), 'session_ended');
  // With both, the access token decides, and a broken one is refused whatever the body holds.
  assertProblem(await post(`${url}/auth/logout`, { refresh_token: laptop.refresh }, 'broken'), 'token_malformed');
  assert.equal((await post(`${url}/auth/logout`, { refresh_token: phone.refresh }, laptop.access)).status, 200);
  assertProblem(await refresh(url, laptop.refresh), 'session_ended');
});

test('the path of a session answers DELETE alone, and an unknown path is told from it', async () => {
  const answer = await get(`${url}/auth/sessions/${randomUUID()}`);
  assertProblem(answer, 'method_unsupported');
  assert.equal(answer.headers.get('allow'), 'DELETE');
  assertProblem(await get(`${url}/auth/sessions/${randomUUID()}/more`), 'route_unknown');
});

test('a refused password change ends nothing', async () => {
  const session = await signUp(url, 'refused@example.com');
  const cases = [
    [await change(session.access, 'not the right password', nextPassword), 'password_wrong'],
    [await change(session.access, goodPassword, 'short'), 'password_too_short'],
    [await change(session.access, goodPassword, 'x'.repeat(300)), 'password_too_long'],
    [await change(session.access, goodPassword, 'passwordpassword'), 'password_blocked'],
    [await change(session.access, goodPassword, goodPassword), 'password_unchanged'],
    [await change(session.access, goodPassword, 'nine lanterns \ud800 over it'), 'body_invalid'],
    [await change('', goodPassword, nextPassword), 'token_missing'],
  ] as const;
  for (const [answer, code] of cases) assertProblem(answer, code);
  assert.equal((await get(`${url}/auth/verify`, session.access)).status, 200);
  tokensOf(await refresh(url, session.refresh));
  await signIn(url, 'refused@example.com');
});

test('a password change ends every session, keeps its asker signed in, and kills the old password at once', async () => {
  const email = 'changed@example.com';
  const asking = await signUp(url, email);
  const other = await signIn(url, email);
  const answer = await change(asking.access, goodPassword, nextPassword);
  assert.deepEqual([answer.status, answer.body['propagation']], [200, 'complete'], answer.text);
  const fresh = tokensOf(answer);
  for (const { access, refresh: token } of [asking, other]) {
    assertProblem(await get(`${url}/auth/verify`, access), 'token_revoked');
    assertProblem(await refresh(url, token), 'session_ended');
  }
  assert.equal((await get(`${url}/auth/verify`, fresh.access)).status, 200);
  tokensOf(await refresh(url, fresh.refresh));
  assertProblem(await post(`${url}/auth/login`, { email, password: goodPassword }), 'credentials_invalid');
  await signIn(url, email, nextPassword);
  const events = rowsOf(dataDir, 'select event from audit where session_id = ?', asking.session);
  assert.ok(events.some(({ event }) => event === 'authn_password_change'));
});

test('of fifty password changes at once exactly one wins, and its password is the one that counts', async () => {
  const email = 'race@example.com';
  const { access } = await signUp(url, email);
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, index) => change(access, goodPassword, `lantern number ${index} of the harbour`)),
  );
  const winners = answers.flatMap(({ status }, index) => (status === 200 ? [index] : []));
  assert.equal(winners.length, 1);
  // Who was let in before the winner and read the account after it is told what is true: the password it gives is no longer the current one.
  for (const answer of answers.filter(({ status }) => status !== 200))
    assert.ok(['token_revoked', 'password_wrong'].includes(assertIsProblem(answer)), answer.text);
  await signIn(url, email, `lantern number ${winners[0]} of the harbour`);
  const [winner] = answers.filter(({ status }) => status === 200);
  assert.ok(winner !== undefined);
  assert.equal((await get(`${url}/auth/verify`, tokensOf(winner).access)).status, 200);
});

test('whatever signs in or refreshes beside a password change is dead after it', async () => {
  const email = 'beside@example.com';
  const asking = await signUp(url, email);
  const other = await signIn(url, email);
  const changing = change(asking.access, goodPassword, nextPassword);
  const beside: Answer[] = [];
  const isOver = changing.then(() => true);
  const hammer = async (): Promise<void> => {
    let token = other.refresh;
    for (let round = 0; round < 100; round++) {
      // Fewer than the limit of this service: beyond it a sign-in would end the session that asks.
      if (round < 5) beside.push(await post(`${url}/auth/login`, { email, password: goodPassword }));
      const refreshed = await refresh(url, token);
      beside.push(refreshed);
      if (refreshed.status === 200) token = tokensOf(refreshed).refresh;
      if (await Promise.race([isOver, Promise.resolve(false)])) return;
    }
  };
  const [changed] = await Promise.all([changing, hammer()]);
  const fresh = tokensOf(changed);
  const granted = beside.filter(({ status }) => status === 200).map(tokensOf);
  assert.ok(granted.length > 0, 'something was granted before');
  for (const { access, refresh: token } of granted) {
    assertProblem(await get(`${url}/auth/verify`, access), 'token_revoked');
    assert.equal((await refresh(url, token)).status, 401);
  }
  assert.equal((await get(`${url}/auth/verify`, fresh.access)).status, 200);
  assert.deepEqual(
    listed(await get(`${url}/auth/sessions`, fresh.access)).map(({ id }) => id),
    [fresh.session],
  );
});

test('a sign-in beyond the limit ends the oldest session and no other', async () => {
  const email = 'many@example.com';
  const sessions = [await signUp(url, email)];
  while (sessions.length < 11) sessions.push(await signIn(url, email));
  const [oldest, ...rest] = sessions;
  assert.ok(oldest !== undefined);
  assertProblem(await refresh(url, oldest.refresh), 'session_ended');
  await waitUntil(
    'the service',
    'refuse the oldest',
    5000,
    async () => (await get(`${url}/auth/verify`, oldest.access)).status === 401,
  );
  for (const { access } of rest) assert.equal((await get(`${url}/auth/verify`, access)).status, 200);
  assert.equal(listed(await get(`${url}/auth/sessions`, rest.at(-1)?.access)).length, 10);
  await signUp(url, 'few@example.com');
});
