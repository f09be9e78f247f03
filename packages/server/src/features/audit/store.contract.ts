/** Contract of the port of the audit trail, and of the rows that other ports write. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { AccountId, KeyId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { type Engine, type OpenEngine, seedAccount } from '../engine.contract.ts';
import type { StoredSigningKey } from '../signing-keys/store.ts';
import type { AuditFilter, AuditRow, NewAuditRow, Origin } from './store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const by: Origin = { actor: 'key:abc', address: '192.0.2.7', requestId: 'r-1' };

const keyOf = (kid: string): StoredSigningKey => ({
  kid: kid as KeyId,
  algorithm: 'ES256',
  publicJwk: '{}',
  privateBox: bytes(kid),
  createdAtMs: 4000,
  activatesAtMs: 4000,
  retiresAtMs: null,
});

/** The whole trail, oldest first. */
const trail = async ({ audit }: Engine): Promise<readonly AuditRow[]> => {
  const { rows, next } = await audit.list({}, 1000);
  assert.equal(next, undefined);
  return rows.toReversed();
};

const brief = (rows: readonly Pick<AuditRow, 'event' | 'reason'>[]) =>
  rows.map(({ event, reason }) => `${event}:${reason}`);

/** Runs an act; returns the rows it left, without their positions. */
const rowsOfAct = async (engine: Engine, act: () => Promise<unknown>) => {
  const before = new Set((await trail(engine)).map(({ position }) => position));
  await act();
  return (await trail(engine)).filter(({ position }) => !before.has(position)).map(({ position: _, ...row }) => row);
};

const nothing = { tenantId: null, accountId: null, sessionId: null, subject: null };
const from = { actor: 'key:abc', address: '192.0.2.7', requestId: 'r-1', count: 1 };

const open = async (engine: Engine, seeded: Awaited<ReturnType<typeof seedAccount>>, token: string, nowMs: number) => {
  const { tenantId, accountId, account } = seeded;
  const grant = await engine.sessions.open({
    tenantId,
    accountId,
    passwordHash: account.passwordHash,
    amr: ['pwd'],
    nowMs,
    refreshToken: { hash: bytes(token), expiresAtMs: nowMs + 100_000 },
    sessionsMax: 10,
    by,
  });
  if (typeof grant === 'string') throw new Error(`Not opened: ${grant}`);
  return grant;
};

const rotate = (engine: Engine, presented: string, successor: string, nowMs: number) =>
  engine.sessions.rotate({
    presentedHash: bytes(presented),
    successor: { hash: bytes(successor), expiresAtMs: nowMs + 100_000 },
    successorBox: bytes('box'),
    nowMs,
    graceMs: 0,
    by,
  });

const sessionRows = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: each act on a session leaves one row, and a repeat none`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await seedAccount(engine);
    const { tenantId, accountId } = seeded;
    const whose = { ...nothing, tenantId, accountId };
    let sessionId = '' as SessionId;
    const opened = await rowsOfAct(engine, async () => {
      ({ sessionId } = await open(engine, seeded, 'r0', 2000));
    });
    const login = { event: 'authn_login_success', reason: 'password', atMs: 2000 };
    assert.deepEqual(opened, [{ ...login, ...whose, sessionId, ...from }]);
    assert.deepEqual(await rowsOfAct(engine, () => rotate(engine, 'r0', 'r1', 2500)), [], 'an ordinary refresh');

    const end = () => engine.sessions.end({ tenantId, sessionId, nowMs: 3000, by });
    const logout = { event: 'authn_token_revoked', reason: 'logout', atMs: 3000 };
    assert.deepEqual(await rowsOfAct(engine, end), [{ ...logout, ...whose, sessionId, ...from }]);
    assert.deepEqual(await rowsOfAct(engine, end), [], 'a repeated sign-out');

    const stolen = await open(engine, seeded, 's0', 2000);
    await rotate(engine, 's0', 's1', 2500);
    const ofStolen = { ...whose, sessionId: stolen.sessionId, ...from };
    const lost = { event: 'authn_token_reuse', reason: 'answer_lost', atMs: 3000 };
    assert.deepEqual(await rowsOfAct(engine, () => rotate(engine, 's0', 's2', 3000)), [{ ...lost, ...ofStolen }]);
    await rotate(engine, 's2', 's3', 3500);
    const reuse = () => Promise.all([1, 2, 3].map(() => rotate(engine, 's0', 'x', 4000)));
    const theft = { event: 'authn_token_reuse', reason: 'refresh_reused', atMs: 4000 };
    assert.deepEqual(await rowsOfAct(engine, reuse), [{ ...theft, ...ofStolen }]);

    const asking = await open(engine, seeded, 't0', 2000);
    await open(engine, seeded, 'u0', 2000);
    const { sessionId: askingId } = asking;
    const everywhereElse = { tenantId, accountId, sessionId: askingId, nowMs: 5000, by };
    const endAll = () => Promise.all([1, 2].map(() => engine.sessions.endAll(everywhereElse)));
    const everywhere = { event: 'authn_token_revoked', reason: 'logout_all', atMs: 5000 };
    assert.deepEqual(await rowsOfAct(engine, endAll), [
      { ...everywhere, ...whose, sessionId: asking.sessionId, ...from },
    ]);
  });

  test(`${engineName}: each way to end sessions leaves one row, and a repeat none`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await seedAccount(engine);
    const { tenantId, accountId, account } = seeded;
    const whose = { ...nothing, tenantId, accountId, ...from };
    const [first, asking] = [await open(engine, seeded, 'r0', 2000), await open(engine, seeded, 's0', 2000)];
    const { sessionId } = first;
    const endOwn = () =>
      engine.sessions.endOwn({
        ...{ tenantId, accountId, sessionId, askingSessionId: asking.sessionId, nowMs: 3000, by },
      });
    const revoked = { event: 'session_expired', reason: 'revoked', atMs: 3000 };
    const row = { ...revoked, ...whose, sessionId: first.sessionId, subject: asking.sessionId };
    assert.deepEqual(await rowsOfAct(engine, endOwn), [row]);
    assert.deepEqual(await rowsOfAct(engine, endOwn), []);

    const refreshToken = { hash: bytes('t0'), expiresAtMs: 104_000 };
    const session = { tenantId, accountId, amr: ['pwd'], nowMs: 4000, refreshToken, by };
    const change = { ...session, sessionId: asking.sessionId, from: account.passwordHash, to: 'new' };
    const changed = await rowsOfAct(engine, () => engine.sessions.changePassword(change));
    assert.deepEqual(brief(changed).sort(), ['authn_login_success:password_change', 'authn_password_change:changed']);
    for (const { event, sessionId, atMs, actor } of changed) {
      assert.deepEqual([atMs, actor], [4000, by.actor]);
      assert.equal(sessionId === asking.sessionId, event === 'authn_password_change');
    }
    assert.deepEqual(await rowsOfAct(engine, () => engine.sessions.changePassword(change)), []);

    const another = { hash: bytes('u0'), expiresAtMs: 105_000 };
    const limited = { ...session, passwordHash: 'new', nowMs: 5000, refreshToken: another, sessionsMax: 1 };
    const displaced = await rowsOfAct(engine, () => engine.sessions.open(limited));
    assert.deepEqual(brief(displaced).sort(), ['authn_login_success:password', 'session_expired:limit']);
    const opened = changed.find(({ event }) => event === 'authn_login_success')?.sessionId;
    assert.equal(displaced.find(({ reason }) => reason === 'limit')?.sessionId, opened);

    const signOut = () => engine.sessions.signOut({ tenantId, accountId, nowMs: 6000, by });
    const signedOut = { event: 'session_expired', reason: 'signed_out', atMs: 6000 };
    assert.deepEqual(await rowsOfAct(engine, signOut), [{ ...signedOut, ...whose }]);

    for (const reason of ['disabled', 'enabled'] as const) {
      const act = reason === 'disabled' ? engine.accounts.disable : engine.accounts.enable;
      const update = { event: 'user_updated', reason, atMs: 7000 };
      assert.deepEqual(await rowsOfAct(engine, () => act({ tenantId, accountId, nowMs: 7000, by })), [
        { ...update, ...whose },
      ]);
      assert.deepEqual(await rowsOfAct(engine, () => act({ tenantId, accountId, nowMs: 7000, by })), []);
    }
    for (const reason of ['tenant_suspended', 'tenant_resumed'] as const) {
      const act = reason === 'tenant_suspended' ? engine.tenants.suspend : engine.tenants.resume;
      const admin = { event: 'authz_admin', reason, atMs: 8000, ...nothing, tenantId, ...from };
      assert.deepEqual(await rowsOfAct(engine, () => act({ tenantId, nowMs: 8000, by })), [admin]);
      assert.deepEqual(await rowsOfAct(engine, () => act({ tenantId, nowMs: 8000, by })), []);
    }
    const made = { event: 'authz_admin', reason: 'tenant_created', atMs: 9000, actor: by.actor };
    const rows = await rowsOfAct(engine, () => engine.tenants.create({ name: 'made', nowMs: 9000, by }));
    assert.deepEqual(
      rows.map(({ event, reason, atMs, actor }) => ({ event, reason, atMs, actor })),
      [made],
    );
    assert.deepEqual(await rowsOfAct(engine, () => engine.tenants.create({ name: 'made', nowMs: 9000, by })), []);
  });

  test(`${engineName}: what changes nothing leaves no row`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await seedAccount(engine);
    const { tenantId, accountId, account } = seeded;
    const { sessionId } = await open(engine, seeded, 'r0', 2000);
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    const rows = await rowsOfAct(engine, async () => {
      await engine.sessions.end({ tenantId: other.id, sessionId, nowMs: 3000, by });
      await engine.accounts.create({ tenantId, account, nowMs: 3000, by });
      await engine.accounts.upgradePasswordHash({ tenantId, accountId, from: 'another', to: 'new', nowMs: 3000, by });
      await engine.tenants.ensure({ name: 'other', nowMs: 3000, by });
      // The second account of the import cannot be stored: the first one is undone, and its row
      // with it.
      const [first, second] = ['new', 'bad'].map((name) => ({ ...account, email: name, emailKey: name }));
      assert.ok(first !== undefined && second !== undefined);
      const unstorable = { ...second, passwordHash: null as unknown as string };
      await assert.rejects(engine.accounts.importMany({ tenantId, accounts: [first, unstorable], nowMs: 3000, by }));
      assert.equal(await engine.accounts.findForLogin(tenantId, 'new'), undefined);
      // The refresh token is there already: the session is undone.
      await assert.rejects(open(engine, seeded, 'r0', 3000));
      await engine.force.accountStatus(accountId, 'disabled');
      await assert.rejects(open(engine, seeded, 'q0', 3000));
    });
    assert.deepEqual(rows, []);
  });
};

const otherRows = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: each other act leaves one row`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    let tenantId = '' as TenantId;
    const tenant = await rowsOfAct(engine, async () => {
      const made = await Promise.all([1, 2, 3].map(() => engine.tenants.ensure({ name: 'acme', nowMs: 1000, by })));
      tenantId = made[0]?.id ?? tenantId;
    });
    const made = { event: 'authz_admin', reason: 'tenant_created', atMs: 1000 };
    assert.deepEqual(tenant, [{ ...made, ...nothing, tenantId, ...from }]);

    const accountOf = (name: string) => ({ email: name, emailKey: name, passwordHash: 'old', roles: [] });
    let accountId = '' as AccountId;
    const created = await rowsOfAct(engine, async () => {
      accountId = (await engine.accounts.create({ tenantId, account: accountOf('ada'), nowMs: 2000, by })) as AccountId;
    });
    const user = { event: 'user_created', ...nothing, tenantId, ...from };
    assert.deepEqual(created, [{ ...user, reason: 'registered', atMs: 2000, accountId }]);

    const batch = ['ada', 'bob', 'cyd'].map(accountOf);
    const imported = await rowsOfAct(engine, () =>
      engine.accounts.importMany({ tenantId, accounts: batch, nowMs: 3000, by }),
    );
    const ids = await Promise.all(
      ['bob', 'cyd'].map(async (name) => (await engine.accounts.findForLogin(tenantId, name))?.account.id ?? ''),
    );
    assert.deepEqual(imported.map((row) => row.accountId).sort(), ids.sort());
    for (const row of imported)
      assert.deepEqual(row, { ...user, reason: 'imported', atMs: 3000, accountId: row.accountId });

    const upgrade = () =>
      engine.accounts.upgradePasswordHash({ tenantId, accountId, from: 'old', to: 'new', nowMs: 3200, by });
    const upgraded = await rowsOfAct(engine, upgrade);
    const update = { event: 'user_updated', reason: 'hash_upgraded', atMs: 3200 };
    assert.deepEqual(upgraded, [{ ...update, ...nothing, tenantId, accountId, ...from }]);

    const hash = bytes('hash of a key');
    const add = () =>
      engine.adminKeys.add({
        ...{ hash, key: { scopes: ['audit:read'], tenantId }, description: 'test', expiresAtMs: null, nowMs: 3500, by },
      });
    const keyRow = { event: 'authn_token_created', reason: 'admin_key', atMs: 3500, ...nothing, tenantId };
    const subject = (await rowsOfAct(engine, add)).map((row) => {
      assert.deepEqual({ ...row, subject: null }, { ...keyRow, ...from });
      return row.subject;
    });
    assert.deepEqual(subject, [(await engine.adminKeys.findByHash(hash))?.id]);

    const first = () => Promise.all(['k0', 'k1'].map((kid) => engine.signingKeys.addFirst({ key: keyOf(kid), by })));
    const admin = { event: 'authz_admin', atMs: 4000, ...nothing, ...from };
    const keys = await rowsOfAct(engine, first);
    const kid = (await engine.signingKeys.list())[0]?.kid;
    assert.deepEqual(keys, [{ ...admin, reason: 'signing_key_created', subject: kid }]);
    const rotated = await rowsOfAct(engine, () => engine.signingKeys.addSuccessor({ key: keyOf('k2'), by }));
    assert.deepEqual(rotated, [{ ...admin, reason: 'signing_key_rotated', subject: 'k2' }]);

    const restored = await rowsOfAct(engine, () =>
      engine.deployment.beginNewHistory({ key: keyOf('k3'), nowMs: 4000, by }),
    );
    const expected = [
      ['history_begun', 'k3'],
      ['signing_key_killed', String(kid)],
      ['signing_key_killed', 'k2'],
      ['signing_key_rotated', 'k3'],
    ].map(([reason, key]) => ({ ...admin, reason, subject: key }));
    const sorted = (rows: readonly object[]) => rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();
    assert.deepEqual(sorted(restored), sorted(expected));
  });
};

const reading = (engineName: string, openEngine: OpenEngine): void => {
  test(`${engineName}: rows come back as they were written, newest first, in pages, by every filter`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const [tenant, other] = [randomUUIDv7() as TenantId, randomUUIDv7() as TenantId];
    const [account, session] = [randomUUIDv7() as AccountId, randomUUIDv7() as SessionId];
    const row = (atMs: number, more: Partial<NewAuditRow> = {}): NewAuditRow =>
      ({ event: 'authn_login_fail', reason: 'password_wrong', by, atMs, ...more }) as NewAuditRow;
    await engine.audit.record([
      row(1000),
      row(2000, { tenantId: tenant }),
      row(3000, { tenantId: tenant, accountId: account }),
      row(4000, { tenantId: tenant, accountId: account, sessionId: session, subject: 'thing', count: 7 }),
      row(5000, { tenantId: other }),
      row(6000, { event: 'sys_startup', reason: 'ready', by: { actor: 'system', address: null, requestId: null } }),
    ]);
    const times = async (filter: AuditFilter, rowsMax = 10) =>
      (await engine.audit.list(filter, rowsMax)).rows.map(({ atMs }) => atMs);
    assert.deepEqual(await times({}), [6000, 5000, 4000, 3000, 2000, 1000]);
    assert.deepEqual(await times({ tenantId: tenant }), [4000, 3000, 2000]);
    assert.deepEqual(await times({ accountId: account }), [4000, 3000]);
    assert.deepEqual(await times({ sessionId: session }), [4000]);
    assert.deepEqual(await times({ tenantId: other, sessionId: session }), []);
    assert.deepEqual(await times({ event: 'sys_startup' }), [6000]);
    assert.deepEqual(await times({ sinceMs: 5000 }), [6000, 5000]);
    assert.deepEqual(
      await times({ tenantId: tenant, accountId: account, event: 'authn_login_fail', sinceMs: 3500 }),
      [4000],
    );
    const first = await engine.audit.list({}, 4);
    assert.deepEqual(await times({ before: first.next }), [2000, 1000]);
    const { position: _, ...whole } = (await engine.audit.list({ sessionId: session }, 1)).rows[0] as AuditRow;
    assert.deepEqual(whole, {
      atMs: 4000,
      event: 'authn_login_fail',
      reason: 'password_wrong',
      tenantId: tenant,
      accountId: account,
      sessionId: session,
      subject: 'thing',
      ...from,
      count: 7,
    });
  });

  test(`${engineName}: a page looks at a bounded number of rows, and the next one goes on behind them`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const row: NewAuditRow = { event: 'authn_login_fail', reason: 'account_unknown', atMs: 1_000_000, by };
    await engine.audit.record([{ event: 'sys_startup', reason: 'ready', atMs: 1_000_000, by }]);
    for (let batch = 0; batch < 6; batch++) await engine.audit.record(Array.from({ length: 1000 }, () => row));
    const page = await engine.audit.list({ event: 'sys_startup' }, 10);
    assert.deepEqual(page.rows, []);
    const next = await engine.audit.list({ event: 'sys_startup', before: page.next }, 10);
    assert.deepEqual(brief(next.rows), ['sys_startup:ready']);
    assert.equal(next.next, undefined);
    const old = await engine.audit.list({ event: 'sys_startup', sinceMs: 2_000_000 }, 10);
    assert.deepEqual(old, { rows: [] }, 'older rows are not looked for');
  });

  test(`${engineName}: the state of a session follows what happens to it`, async (t) => {
    const engine = await openEngine();
    t.after(() => engine.close());
    const seeded = await seedAccount(engine);
    const { tenantId, accountId } = seeded;
    assert.equal(await engine.audit.findSession(randomUUIDv7() as SessionId), undefined);
    const asking = await open(engine, seeded, 'r0', 2000);
    const { sessionId } = await open(engine, seeded, 'q0', 2000);
    const live = {
      ...{ tenantId, accountId, createdAtMs: 2000, expiresAtMs: 102_000, endedAtMs: null },
      ...{ isOfPresentEpoch: true, isAccountActive: true, isTenantActive: true },
    };
    assert.deepEqual(await engine.audit.findSession(sessionId), live);
    await engine.force.accountStatus(accountId, 'disabled');
    await engine.force.tenantStatus(tenantId, 'suspended');
    const { sessionId: askingId } = asking;
    await engine.sessions.endAll({ tenantId, accountId, sessionId: askingId, nowMs: 3000, by });
    assert.deepEqual(await engine.audit.findSession(sessionId), {
      ...live,
      ...{ endedAtMs: 3000, isOfPresentEpoch: false, isAccountActive: false, isTenantActive: false },
    });
  });
};

/** Registers the suite for one engine. */
export const auditStoreContract = (engineName: string, openEngine: OpenEngine): void => {
  sessionRows(engineName, openEngine);
  otherRows(engineName, openEngine);
  reading(engineName, openEngine);
};
