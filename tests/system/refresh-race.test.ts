/**
 * Refresh tokens under parallel use and replay. The drill: `ROUNDS=200 node --test tests/system/refresh-race.test.ts`.
 * @module
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { get, logOut, refresh, signIn, signUp, type Tokens, tokensOf } from '../harness/client.ts';
import { filesHolding, rowsOf, withDatabase } from '../harness/database.ts';
import { assertProblem } from '../harness/problems.ts';
import { type Service, serviceIn } from '../harness/service.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const parallel = 50;

const [patient, strict] = await Promise.all([
  serviceIn({ after }, { REFRESH_GRACE_SECONDS: 10 }),
  serviceIn({ after }, { REFRESH_GRACE_SECONDS: 1 }),
]);

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
const generations = ({ dataDir }: Service, session: string): number =>
  rowsOf(dataDir, 'select 1 from refresh_token where session_id = ?', session).length;
const boxOf = ({ dataDir }: Service, token: string): unknown =>
  rowsOf(dataDir, 'select successor_box from refresh_token where hash = ?', hashOf(token))[0]?.['successor_box'];
const reuseAudits = ({ dataDir }: Service, session: string): number =>
  rowsOf(dataDir, "select 1 from audit where event = 'authn_token_reuse' and session_id = ?", session).length;

test(`${parallel} parallel uses of one refresh token yield one generation, round after round`, async (t) => {
  let tokens = await signUp(patient.url, 'race@example.com');
  for (let round = 1; round <= rounds; round += 1) {
    const answers = await Promise.all(Array.from({ length: parallel }, () => refresh(patient.url, tokens.refresh)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200], `round ${round}`);
    const received = answers.map(tokensOf);
    assert.equal(new Set(received.map((next) => next.refresh)).size, 1, `one successor in round ${round}`);
    assert.equal(generations(patient, tokens.session), round + 1);
    const verified = await Promise.all(received.map(({ access }) => get(`${patient.url}/auth/verify`, access)));
    assert.deepEqual([...new Set(verified.map(({ status }) => status))], [200], `each access token works, ${round}`);
    tokens = received[0] as Tokens;
  }
  const unused = rowsOf(
    patient.dataDir,
    'select hash from refresh_token where session_id = ? and used_at is null',
    tokens.session,
  );
  assert.deepEqual(
    unused.map(({ hash }) => Buffer.from(hash as Uint8Array)),
    [hashOf(tokens.refresh)],
  );
  assert.equal(reuseAudits(patient, tokens.session), 0);
  t.diagnostic(`${rounds} rounds of ${parallel}: ${rounds * parallel} answers, ${rounds} generations`);
});

test('a refresh racing a sign-out leaves nothing alive, whichever comes first', async () => {
  for (let round = 1; round <= rounds; round += 1) {
    const tokens = await (round === 1
      ? signUp(patient.url, 'race-out@example.com')
      : signIn(patient.url, 'race-out@example.com'));
    const [loggedOut, ...refreshed] = await Promise.all([
      logOut(patient.url, tokens.access),
      ...Array.from({ length: 8 }, () => refresh(patient.url, tokens.refresh)),
    ]);
    assert.equal(loggedOut.status, 200);
    for (const answer of refreshed) {
      if (answer.status !== 200) {
        assertProblem(answer, 'session_ended');
        continue;
      }
      const late = tokensOf(answer);
      assertProblem(await get(`${patient.url}/api/protected`, late.access), 'token_revoked');
      assertProblem(await refresh(patient.url, late.refresh), 'session_ended');
    }
  }
});

test('a late replay of a token whose successor is in use is refused, and the session lives', async () => {
  const first = await signUp(patient.url, 'superseded@example.com');
  const second = tokensOf(await refresh(patient.url, first.refresh));
  assert.equal(tokensOf(await refresh(patient.url, first.refresh)).refresh, second.refresh, 'unused successor: again');
  const third = tokensOf(await refresh(patient.url, second.refresh));
  assertProblem(await refresh(patient.url, first.refresh), 'refresh_superseded');
  for (const { access } of [first, second, third])
    assert.equal((await get(`${patient.url}/api/protected`, access)).status, 200);
  tokensOf(await refresh(patient.url, third.refresh));
  assert.equal(reuseAudits(patient, first.session), 0);
});

test('a replay after the grace window is theft: the session is dead at once, and the audit says so', async () => {
  const { url } = strict;
  const first = await signUp(url, 'theft@example.com');
  const bystander = await signIn(url, 'theft@example.com');
  const second = tokensOf(await refresh(url, first.refresh));
  tokensOf(await refresh(url, second.refresh));
  await delay(1100);
  assertProblem(await refresh(url, first.refresh), 'refresh_reused');
  for (const { access } of [first, second]) assertProblem(await get(`${url}/api/protected`, access), 'token_revoked');
  for (const token of [second.refresh, first.refresh]) assertProblem(await refresh(url, token), 'session_ended');
  assert.equal(reuseAudits(strict, first.session), 1);
  assert.equal((await get(`${url}/api/protected`, bystander.access)).status, 200, 'other sessions live');
});

test('a client that lost the answer comes back after the grace window, and a thief of the lost token is found out', async () => {
  const { url } = strict;
  const first = await signUp(url, 'lost-answer@example.com');
  const lost = tokensOf(await refresh(url, first.refresh));
  await delay(1100);
  const second = tokensOf(await refresh(url, first.refresh));
  assert.notEqual(second.refresh, lost.refresh);
  assert.equal((await get(`${url}/auth/verify`, second.access)).status, 200);
  assert.equal(tokensOf(await refresh(url, first.refresh)).refresh, second.refresh, 'the answer is lost once more');
  const third = tokensOf(await refresh(url, second.refresh));
  assertProblem(await refresh(url, lost.refresh), 'refresh_reused');
  assertProblem(await get(`${url}/auth/verify`, third.access), 'token_revoked');
  const reasons = rowsOf(
    strict.dataDir,
    "select reason from audit where event = 'authn_token_reuse' and session_id = ? order by pos",
    first.session,
  );
  assert.deepEqual(
    reasons.map(({ reason }) => reason),
    ['answer_lost', 'superseded_used'],
  );
});

test('a replay after the grace window kills the session although the successor has been used as well', async () => {
  const { url } = strict;
  const first = await signUp(url, 'late-theft@example.com');
  const second = tokensOf(await refresh(url, first.refresh));
  const third = tokensOf(await refresh(url, second.refresh));
  await delay(1100);
  assertProblem(await refresh(url, first.refresh), 'refresh_reused');
  assertProblem(await get(`${url}/api/protected`, third.access), 'token_revoked');
  assertProblem(await refresh(url, third.refresh), 'session_ended');
});

test('the encrypted successor is gone from the database once the grace window is over', async () => {
  const first = await signUp(strict.url, 'forgotten@example.com');
  await refresh(strict.url, first.refresh);
  assert.ok(boxOf(strict, first.refresh) instanceof Uint8Array, 'kept during the window');
  const deadline = performance.now() + 4000;
  while (boxOf(strict, first.refresh) !== null && performance.now() < deadline) await delay(50);
  assert.equal(boxOf(strict, first.refresh), null);
});

test('no file of the data folder holds a refresh token, its successor or an access token in plain text', async () => {
  const { url, dataDir } = patient;
  const first = await signUp(url, 'at-rest@example.com');
  const second = tokensOf(await refresh(url, first.refresh));
  assert.ok(filesHolding(dataDir, 'at-rest@example.com').length > 0, 'the search finds what is there');
  for (const { access, refresh: token } of [first, second])
    for (const text of [token, token.slice(4), access, access.split('.')[2] ?? ''])
      assert.deepEqual(filesHolding(dataDir, text), []);
});

test('an unknown refresh token is refused and ends nothing', async () => {
  const { refresh: token, access } = await signUp(patient.url, 'guess@example.com');
  for (const guess of [`${token}x`, token.slice(4), token.toUpperCase(), ` ${token}`, 'crt_'])
    assertProblem(await refresh(patient.url, guess), 'refresh_invalid', guess);
  assert.equal((await get(`${patient.url}/api/protected`, access)).status, 200);
});

test('an expired refresh token is refused', async () => {
  const { refresh: token, session } = await signUp(patient.url, 'expired@example.com');
  // REFRESH_TOKEN_SECONDS is at least a minute: the clock of the row is moved instead.
  withDatabase(patient.dataDir, (database) =>
    database.prepare('update refresh_token set expires_at = ? where session_id = ?').run(Date.now() - 1, session),
  );
  assertProblem(await refresh(patient.url, token), 'refresh_expired');
});
