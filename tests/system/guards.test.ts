/**
 * The service's side of guards against what strangers and their networks do: wrong keys, forged cursors, storms of polls, answers that
 * nobody reads. Sign-outs must not notice.
 */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { after, suite, type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { paths } from '@catalytic/protocol/paths';
import { readLabKey } from '../harness/accounts.ts';
import { addAdminKey } from '../harness/admin-key.ts';
import { get, goodPassword, logOut, post, remove, request, signIn, signUp } from '../harness/client.ts';
import { rowsOf, withDatabase } from '../harness/database.ts';
import { addGuardKey } from '../harness/guard-key.ts';
import { metricsOf } from '../harness/metrics.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { pollBody, RawGuard } from '../harness/raw-guard.ts';
import { serviceIn } from '../harness/service.ts';
import { waitUntil } from '../harness/wait-until.ts';

const issuer = 'https://id.example';
const service = await serviceIn({ after }, { ISSUER: issuer, REVOCATION_LEASE_MS: 2000 });
const { url, dataDir } = service;
const key = addGuardKey(dataDir);
const guard = new RawGuard({ url, key, audience: issuer });
await signUp(url, 'ada@example.com');

/** Signs a session in and out. @returns the answer of the sign-out */
const signOut = async () => {
  const { access } = await signIn(url, 'ada@example.com');
  const answer = await logOut(url, access);
  assert.equal((await get(`${url}/auth/verify`, access)).status, 401);
  return answer;
};

/** How long a sign-out takes, milliseconds; it must be answered 200. */
const signOutMs = async (): Promise<number> => {
  const { access } = await signIn(url, 'ada@example.com');
  const sentMs = performance.now();
  const { status, text } = await logOut(url, access);
  assert.equal(status, 200, text);
  return performance.now() - sentMs;
};

/** Registers; leaves at the end of the test, so that no later sign-out waits. */
const joinIn = async (t: TestContext, joining: RawGuard): Promise<string> => {
  const id = await joining.join();
  t.after(async () => void (await joining.leave(id)));
  return id;
};

/** Asks as a guard until the end of the test, and leaves. @returns its id */
const followIn = async (t: TestContext, following: RawGuard): Promise<string> => {
  const id = await joinIn(t, following);
  t.after(await following.follow(id));
  return id;
};

const codeOf = ({ status, body }: { readonly status: number; readonly body: Record<string, unknown> }) => [
  status,
  body['code'],
];

suite('guards that do what they should not', () => {
  test('a key that is none, is of something else, or is over is refused on every route', async () => {
    const { access } = await signIn(url, 'ada@example.com');
    const expired = addGuardKey(dataDir, { expiresAtMs: Date.now() - 1000 });
    const id = randomUUIDv7();
    for (const [wrong, code] of [
      [undefined, 'guard_key_missing'],
      [`${key}x`, 'guard_key_invalid'],
      ['x', 'guard_key_invalid'],
      [access, 'guard_key_invalid'],
      [readLabKey(dataDir), 'guard_key_invalid'],
      [expired, 'guard_key_expired'],
    ] as const) {
      const stranger = guard.with({ key: wrong });
      for (const answer of [await stranger.poll(), await stranger.register(), await stranger.leave(id)])
        assert.deepEqual(codeOf(answer), [401, code]);
    }
  });

  test('a body that is none of a guard, another audience, or a guard that is too old is refused and registers nothing', async () => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    for (const body of [
      '{}',
      '[]',
      '{"nonce":"","wait_ms":0,"kinds":[]}',
      '{"nonce":"a","wait_ms":-1,"kinds":[]}',
      pollBody({ guard: 'x' }),
    ]) {
      const { status } = await request(`${url}${paths.revocations}`, { method: 'POST', headers, body });
      assert.equal(status, 400, body);
    }
    assert.deepEqual(codeOf(await guard.register('https://elsewhere.example')), [400, 'guard_audience_wrong']);
    assert.deepEqual(codeOf(await guard.poll({ kinds: ['token'] })), [409, 'guard_outdated']);
    assert.deepEqual(rowsOf(dataDir, `select id from member where kind = 'guard'`), []);
  });

  test('a cursor that was forged, cut, made elsewhere or for another tenant is refused', async (t) => {
    const elsewhere = await serviceIn(t, { ISSUER: issuer });
    const foreign = new RawGuard({ url: elsewhere.url, key: addGuardKey(elsewhere.dataDir), audience: issuer });
    const { cursor } = await guard.page();
    const ofTenant = guard.with({ key: addGuardKey(dataDir, { tenant: 'default' }) });
    const { cursor: narrow, tenant } = await ofTenant.page();
    assert.notEqual(tenant, null);
    const flipped = `${cursor.slice(0, -2)}${cursor.at(-2) === 'A' ? 'B' : 'A'}${cursor.at(-1)}`;
    for (const forged of ['', 'x', cursor.slice(1), flipped, `${cursor}A`, (await foreign.page()).cursor, narrow])
      assert.deepEqual(codeOf(await guard.poll({ after: forged })), [400, 'guard_cursor_invalid'], forged.slice(0, 20));
    assert.deepEqual(codeOf(await ofTenant.poll({ after: cursor })), [400, 'guard_cursor_invalid']);
    assert.equal((await guard.poll({ after: 'A'.repeat(100_001) })).status, 413);
  });

  test("a tenant's key is given that tenant's revocations only", async () => {
    const admin = {
      authorization: `Bearer ${addAdminKey(dataDir, ['tenants:write'])}`,
      'content-type': 'application/json',
    };
    const made = await request(`${operateUrlOf(service)}${paths.tenants}`, {
      method: 'POST',
      headers: admin,
      body: JSON.stringify({ name: 'other', registration: 'open' }),
    });
    assert.equal(made.status, 201, made.text);
    await post(`${url}/auth/register`, { email: 'eve@example.com', password: goodPassword, tenant: 'other' });
    const other = guard.with({ key: addGuardKey(dataDir, { tenant: 'other' }) });
    const before = (await other.pages()).at(-1)?.cursor ?? assert.fail();
    assert.equal((await signOut()).status, 200);
    const { access, session } = await signIn(url, 'eve@example.com', goodPassword, 'other');
    assert.equal((await logOut(url, access)).status, 200);
    // Answered as soon as the worker has read the row.
    const { entries } = await other.page({ after: before, wait_ms: 1000 });
    assert.deepEqual(
      entries.map((entry) => entry.key),
      [session],
    );
    const all = (await guard.pages()).flatMap(({ entries }) => entries.map((entry) => entry.key));
    assert.ok(all.includes(session) && all.length > 1);
  });

  test('another key neither acknowledges for a guard nor removes it', async (t) => {
    const stranger = guard.with({ key: addGuardKey(dataDir) });
    const id = await joinIn(t, guard);
    const { cursor } = await stranger.page();
    assert.deepEqual(codeOf(await stranger.poll({ guard: id, after: cursor })), [409, 'guard_not_live']);
    assert.deepEqual((await stranger.leave(id)).body, { left: false });
    const waiting = signOut();
    const sentMs = performance.now();
    for (let at = cursor; performance.now() - sentMs < 600; ) {
      at = (await stranger.page({ after: at })).cursor;
      assert.deepEqual(codeOf(await stranger.poll({ guard: id, after: at })), [409, 'guard_not_live']);
    }
    assert.equal((await waiting).status, 202, 'it waits for the guard itself');
    assert.deepEqual((await guard.leave(id)).body, { left: true });
    assert.equal((await signOut()).status, 200);
  });

  test('a key registers as many guards as it may, and again when one has left', async () => {
    const few = guard.with({ key: addGuardKey(dataDir, { guardsMax: 1 }) });
    const racing = await Promise.all([few.register(), few.register(), few.register()]);
    assert.deepEqual(racing.map(({ status }) => status).sort(), [201, 429, 429]);
    const refused = racing.find(({ status }) => status === 429);
    assert.equal(refused?.body['code'], 'guards_too_many');
    assert.ok(Number(refused?.headers.get('retry-after')) > 0);
    const id = String(racing.find(({ status }) => status === 201)?.body['guard']);
    await few.leave(id);
    await few.leave(await few.join());
  });

  test('a poll that a proxy repeats is answered twice, and harms nothing', async (t) => {
    const id = await joinIn(t, guard);
    const { cursor } = await guard.page();
    const poll = { guard: id, after: cursor, nonce: 'repeated', wait_ms: 1000 };
    const polls = [guard.page(poll), guard.page(poll)];
    const [{ status }, ...pages] = await Promise.all([signOut(), ...polls]);
    for (const page of pages) assert.deepEqual([page.nonce, page.guard, page.entries.length], ['repeated', id, 1]);
    assert.equal(status, 202, 'neither has asked with what the page brought');
    t.after(await guard.follow(id));
    assert.equal((await signOut()).status, 200);
  });

  test('a revoked key is refused from then on, and sign-outs stop to wait for its guards', async (t) => {
    const ended = guard.with({ key: addGuardKey(dataDir) });
    const id = await followIn(t, ended);
    assert.equal((await signOut()).status, 200);
    const admin = addAdminKey(dataDir, ['guard-keys:read', 'guard-keys:write']);
    const operate = `${operateUrlOf(service)}${paths.guardKeys}`;
    const [row] = rowsOf(dataDir, 'select key from member where id = ?', id);
    assert.equal((await remove(`${operate}/${row?.['key']}`, admin)).status, 200);
    await waitUntil('the service', 'forget the key', 1000, async () => (await ended.poll()).status === 401);
    for (const answer of [await ended.poll(), await ended.register(), await ended.poll({ guard: id })])
      assert.deepEqual(codeOf(answer), [401, 'guard_key_invalid']);
    const answers: number[] = [];
    for (const untilMs = performance.now() + 15_000; answers.at(-1) !== 200 && performance.now() < untilMs; )
      answers.push((await signOut()).status);
    assert.equal(answers.at(-1), 200, answers.join());
    assert.deepEqual(rowsOf(dataDir, 'select 1 from member where id = ?', id), []);
  });
});

/** A connection that sends and does not read. */
const deafIn = (t: TestContext, ...messages: readonly string[]): Socket => {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
  t.after(() => socket.destroy());
  socket.on('error', () => {});
  socket.pause();
  socket.write(messages.join(''));
  return socket;
};

const pollMessage = (poll: Parameters<typeof pollBody>[0]): string => {
  const body = pollBody(poll);
  return `POST ${paths.revocations} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

const residentMb = async (): Promise<number> =>
  (await metricsOf(service))('catalytic_process_resident_memory_bytes') / 2 ** 20;

/** Writes entries past the service, as many as its window does not hold. */
const addEntries = (count: number): void =>
  withDatabase(dataDir, (database) => {
    database.exec('begin');
    const insert = database.prepare(`insert into journal (id, kind, key, keep_until) values (?, 'session', ?, 9e15)`);
    for (let index = 0; index < count; index++) insert.run(randomUUIDv7(), randomUUIDv7());
    database.exec('commit');
  });

suite('many polls at once', () => {
  test('a cursor from long ago loads everything in pages that grant nothing before the last', async () => {
    const { cursor } = (await guard.pages()).at(-1) ?? assert.fail();
    addEntries(21_000);
    await delay(500);
    const pages = await guard.pages(cursor);
    assert.ok(pages.length >= 3 && pages.every(({ entries }) => entries.length <= 10_000));
    assert.deepEqual(
      pages.map(({ more, lease_ms }) => [more, lease_ms > 0]),
      pages.map((_, index) => (index < pages.length - 1 ? [true, false] : [false, true])),
    );
    assert.ok(new Set(pages.flatMap(({ entries }) => entries.map((entry) => entry.key))).size >= 21_000);
  });

  test('10,000 polls that are held, and large answers that nobody reads, cost bounded memory, and sign-outs stay fast', async (t) => {
    const { cursor } = (await guard.pages()).at(-1) ?? assert.fail();
    const beforeMb = await residentMb();
    const many = Array.from({ length: 100 }, () => pollMessage({ after: cursor, wait_ms: 1000 }));
    const sockets = Array.from({ length: 100 }, () => deafIn(t, ...many));
    const times: number[] = [];
    for (let count = 0; count < 5; count++) times.push(await signOutMs());
    const whole = Array.from({ length: 20 }, () => pollMessage({}));
    sockets.push(...Array.from({ length: 50 }, () => deafIn(t, ...whole)));
    for (let count = 0; count < 5; count++) times.push(await signOutMs());
    const afterMb = await residentMb();
    t.diagnostic(`${Math.round(afterMb - beforeMb)} MB more, sign-outs ${times.map(Math.round).join(' ')} ms`);
    assert.ok(Math.max(...times) < 2000, times.join());
    assert.ok(afterMb - beforeMb < 400, `${afterMb - beforeMb} MB more`);
    for (const socket of sockets) socket.destroy();
    const calm = await guard.poll({ after: cursor });
    assert.equal(calm.status, 200, calm.text);
  });
});
