/** Contract of the port of accounts. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { AccountId } from '@catalytic/protocol/ids';
import { by, type OpenEngine, readJournal, seedAccount } from '../engine.contract.ts';
import { deletedEmailKey } from './rules.ts';

/** Registers the suite for one engine. */
export const accountStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: an account comes back as it was stored`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const stored = {
      id: accountId,
      tenantId,
      email: account.email,
      status: 'active',
      roles: ['reader'],
      createdAtMs: 1000,
    };
    assert.deepEqual(await engine.accounts.find(tenantId, accountId), stored);
    assert.deepEqual(await engine.accounts.findForLogin(tenantId, account.emailKey), {
      account: stored,
      passwordHash: account.passwordHash,
    });
  });

  test(`${engineName}: of many accounts with one email at once exactly one is stored`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'default', nowMs: 1000, by });
    const account = { email: 'A@x.com', emailKey: 'a@x.com', passwordHash: 'h', roles: [] };
    const results = await Promise.all(
      Array.from({ length: 30 }, () => engine.accounts.create({ tenantId, account, nowMs: 1000, by })),
    );
    assert.equal(results.filter((result) => result !== 'email_taken').length, 1);
  });

  test(`${engineName}: a key of a version before is taken, by a registration and by an import`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'default', nowMs: 1000, by });
    const accountOf = (emailKey: string, formerKeys: readonly string[]) => ({
      ...{ email: emailKey, emailKey, formerKeys, passwordHash: 'h', roles: [] },
    });
    const create = (emailKey: string, formerKeys: readonly string[]) =>
      engine.accounts.create({ tenantId, account: accountOf(emailKey, formerKeys), nowMs: 1000, by });
    await create('a@bücher.example', []);
    assert.equal(await create('a@xn--bcher-kva.example', ['x@x.com', 'a@bücher.example']), 'email_taken');
    const accounts = [accountOf('a@xn--bcher-kva.example', ['a@bücher.example']), accountOf('b@x.com', ['B@x.com'])];
    const counts = await engine.accounts.importMany({ tenantId, accounts, nowMs: 1000, by });
    assert.deepEqual(counts, { imported: 1, existing: 1 });
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    const account = accountOf('a@xn--bcher-kva.example', ['a@bücher.example']);
    assert.match(
      String(await engine.accounts.create({ tenantId: other.id, account, nowMs: 1000, by })),
      /^[0-9a-f-]{36}$/,
    );
  });

  test(`${engineName}: tenants do not see each other's accounts, and may have the same email`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    assert.equal(await engine.accounts.find(other.id, accountId), undefined);
    assert.equal(await engine.accounts.findForLogin(other.id, account.emailKey), undefined);
    const twin = await engine.accounts.create({ tenantId: other.id, account, nowMs: 1000, by });
    assert.notEqual(twin, 'email_taken');
    assert.equal((await engine.accounts.findForLogin(tenantId, account.emailKey))?.account.id, accountId);
    const upgrade = { tenantId: other.id, accountId, from: account.passwordHash, to: 'new', nowMs: 1000, by };
    assert.equal(await engine.accounts.upgradePasswordHash(upgrade), false);
  });

  test(`${engineName}: an import stores what is new and leaves what exists as it is`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, account } = await seedAccount(engine);
    const batch = ['ada', 'bob', 'cyd', 'bob'].map((name) => ({
      email: `${name}@example.com`,
      emailKey: `${name}@example.com`,
      passwordHash: 'imported',
      roles: [],
    }));
    assert.deepEqual(await engine.accounts.importMany({ tenantId, accounts: batch, nowMs: 2000, by }), {
      imported: 2,
      existing: 2,
    });
    assert.equal((await engine.accounts.findForLogin(tenantId, 'ada@example.com'))?.passwordHash, account.passwordHash);
    assert.equal((await engine.accounts.findForLogin(tenantId, 'cyd@example.com'))?.passwordHash, 'imported');
  });

  test(`${engineName}: a hash is upgraded only from the hash that was checked`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const upgrade = (from: string, to: string) =>
      engine.accounts.upgradePasswordHash({ tenantId, accountId, from, to, nowMs: 1000, by });
    assert.equal(await upgrade('another', 'new'), false);
    const both = await Promise.all(['new 1', 'new 2'].map((hash) => upgrade(account.passwordHash, hash)));
    assert.deepEqual(both.toSorted(), [false, true]);
  });

  test(`${engineName}: an unknown account is not found`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'default', nowMs: 1000, by });
    assert.equal(await engine.accounts.find(tenantId, randomUUIDv7() as AccountId), undefined);
    assert.equal(await engine.accounts.findForLogin(tenantId, 'nobody@example.com'), undefined);
  });

  test(`${engineName}: a disabled account keeps no session, is journalled, and comes back without them`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const hash = new TextEncoder().encode('r0');
    const signIn = () =>
      engine.sessions.open({
        ...{ tenantId, accountId, passwordHash: account.passwordHash, amr: [], nowMs: 1000, sessionsMax: 10 },
        ...{ refreshToken: { hash, expiresAtMs: 100_000 }, by },
      });
    assert.equal(typeof (await signIn()), 'object');
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    assert.equal(await engine.accounts.disable({ tenantId: other.id, accountId, nowMs: 2000, by }), undefined);
    assert.equal(await engine.accounts.enable({ tenantId: other.id, accountId, nowMs: 2000, by }), undefined);
    assert.deepEqual(await readJournal(engine), []);
    const both = await Promise.all([1, 2].map(() => engine.accounts.disable({ tenantId, accountId, nowMs: 2000, by })));
    const entries = both.flatMap((recorded) => recorded?.entries ?? []);
    assert.deepEqual(
      entries.map((entry) => [entry.kind, entry.key, 'epoch' in entry && entry.epoch]),
      Array(2).fill(['account', accountId, 1]),
    );
    assert.deepEqual(await readJournal(engine), entries.slice(1), 'a repeat adds no row');
    assert.equal(await signIn(), 'account_disabled');
    assert.equal((await engine.accounts.find(tenantId, accountId))?.status, 'disabled');
    assert.equal((await engine.accounts.enable({ tenantId, accountId, nowMs: 3000, by }))?.status, 'active');
    assert.deepEqual(
      await engine.sessions.list({ tenantId, accountId, before: undefined, rowsMax: 10, nowMs: 2000 }),
      [],
    );
  });

  test(`${engineName}: the accounts of a tenant are listed by email, a page at a time`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId } = await seedAccount(engine, 'cyd');
    for (const name of ['ada', 'dan', 'bob']) await seedAccount(engine, name);
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    const list = async (after?: AccountId, tenant = tenantId) =>
      (await engine.accounts.list({ tenantId: tenant, after, rowsMax: 3 })).map(({ id, email }) => ({
        id,
        name: email.split('@')[0],
      }));
    const first = await list();
    assert.deepEqual(
      first.map(({ name }) => name),
      ['ada', 'bob', 'cyd'],
    );
    assert.deepEqual(
      (await list(first.at(-1)?.id)).map(({ name }) => name),
      ['dan'],
    );
    assert.deepEqual(await list(randomUUIDv7() as AccountId), [], 'after an account that is not there');
    assert.deepEqual(await list(undefined, other.id), []);
    assert.deepEqual(await list(first[0]?.id, other.id), [], 'after an account of another tenant');
  });

  test(`${engineName}: an email is changed to one that no other account has, and signs in from then on alone`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    await seedAccount(engine, 'bob');
    const change = (email: string, id = accountId) =>
      engine.accounts.changeEmail({
        ...{
          tenantId,
          accountId: id,
          email,
          emailKey: email.toLowerCase(),
          formerKeys: [`former ${email}`],
          nowMs: 2000,
          by,
        },
      });
    assert.equal(await change('bob@example.com'), 'email_taken');
    assert.equal(await change('new@example.com', randomUUIDv7() as AccountId), undefined);
    assert.equal(typeof (await change('ADA@example.com')), 'object', 'its own, written otherwise');
    const changed = await change('New@example.com');
    assert.ok(typeof changed === 'object');
    assert.deepEqual([changed.id, changed.email], [accountId, 'New@example.com']);
    assert.equal(await engine.accounts.findForLogin(tenantId, account.emailKey), undefined);
    assert.equal((await engine.accounts.findForLogin(tenantId, 'new@example.com'))?.account.id, accountId);
    const signIn = (email: string) =>
      engine.sessions.open({
        ...{
          tenantId,
          accountId,
          passwordHash: account.passwordHash,
          email,
          amr: [],
          nowMs: 3000,
          sessionsMax: 9,
          by,
        },
        refreshToken: { hash: new TextEncoder().encode(email), expiresAtMs: 9000 },
      });
    assert.equal(await signIn(account.email), 'password_changed', 'a sign-in that was under way');
    assert.equal(typeof (await signIn('New@example.com')), 'object');
    const races = await Promise.all(['x@example.com', 'x@example.com'].map((email) => change(email)));
    assert.equal(races.filter((one) => typeof one === 'object').length, 2, 'one account may have it twice');
    const { rows } = await engine.audit.list({ event: 'user_updated' }, 10);
    assert.deepEqual([...new Set(rows.map(({ reason }) => reason))], ['email_changed']);
  });

  test(`${engineName}: a password that an administrator sets ends every session`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const reset = (id = accountId) =>
      engine.accounts.resetPassword({ tenantId, accountId: id, to: 'another hash', nowMs: 2000, by });
    const signIn = (passwordHash: string, token: string) =>
      engine.sessions.open({
        ...{ tenantId, accountId, passwordHash, amr: [], nowMs: 1000, sessionsMax: 9, by },
        refreshToken: { hash: new TextEncoder().encode(token), expiresAtMs: 9000 },
      });
    const session = await signIn(account.passwordHash, 'a');
    assert.ok(typeof session === 'object');
    assert.equal(await reset(randomUUIDv7() as AccountId), undefined);
    const recorded = await reset();
    assert.deepEqual(
      recorded?.entries.map((entry) => [
        entry.kind,
        entry.key,
        'epoch' in entry && entry.epoch,
        'keepsSessions' in entry,
      ]),
      [['account', accountId, session.accountEpoch + 1, false]],
    );
    assert.equal(await signIn(account.passwordHash, 'b'), 'password_changed');
    assert.equal(typeof (await signIn('another hash', 'c')), 'object');
    assert.deepEqual(
      (await engine.sessions.list({ tenantId, accountId, before: undefined, rowsMax: 9, nowMs: 2000 })).length,
      1,
    );
    const { rows } = await engine.audit.list({ event: 'user_updated' }, 10);
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      ['password_reset'],
    );
  });

  test(`${engineName}: a deleted account is found by nothing, keeps its trail, and may be deleted again`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const signIn = () =>
      engine.sessions.open({
        ...{ tenantId, accountId, passwordHash: account.passwordHash, amr: [], nowMs: 1000, sessionsMax: 9, by },
        refreshToken: { hash: new TextEncoder().encode('a'), expiresAtMs: 9000 },
      });
    const session = await signIn();
    assert.ok(typeof session === 'object');
    const change = { tenantId, accountId, nowMs: 2000, by };
    assert.equal(await engine.accounts.delete({ ...change, accountId: randomUUIDv7() as AccountId }), undefined);
    const both = await Promise.all([engine.accounts.delete(change), engine.accounts.delete(change)]);
    const entries = both.flatMap((recorded) => recorded?.entries ?? []);
    assert.equal(entries.length, 2);
    assert.deepEqual(await readJournal(engine), entries.slice(1), 'a repeat adds no row');
    assert.notEqual(typeof (await signIn()), 'object');
    assert.equal(await engine.accounts.find(tenantId, accountId), undefined);
    for (const key of [account.emailKey, deletedEmailKey(accountId)])
      assert.equal(await engine.accounts.findForLogin(tenantId, key), undefined, key);
    assert.equal(await engine.accounts.findWithPassword(tenantId, accountId), undefined);
    assert.deepEqual(await engine.accounts.list({ tenantId, after: undefined, rowsMax: 9 }), []);
    assert.equal(await engine.accounts.disable(change), undefined);
    assert.equal(await engine.accounts.enable(change), undefined);
    assert.equal(await engine.accounts.changeRoles({ ...change, roles: [] }), undefined);
    assert.equal(
      await engine.accounts.changeEmail({ ...change, email: 'x@y', emailKey: 'x@y', formerKeys: [] }),
      undefined,
    );
    assert.equal(await engine.accounts.resetPassword({ ...change, to: 'h' }), undefined);
    assert.deepEqual(
      (await engine.sessions.list({ tenantId, accountId, before: undefined, rowsMax: 9, nowMs: 2000 })).length,
      0,
    );
    const { accountId: next } = await seedAccount(engine);
    assert.notEqual(next, accountId, 'the email is free');
    const { rows } = await engine.audit.list({ accountId }, 10);
    assert.deepEqual(
      rows.map(({ event }) => event),
      ['user_deleted', 'authn_login_success', 'user_created'],
    );
  });

  test(`${engineName}: a suspended tenant gets no new accounts`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId } = await seedAccount(engine);
    await engine.tenants.suspend({ tenantId, nowMs: 1000, by });
    const account = { email: 'b@x.com', emailKey: 'b@x.com', passwordHash: 'h', roles: [] };
    assert.equal(await engine.accounts.create({ tenantId, account, nowMs: 1000, by }), 'tenant_suspended');
    assert.equal(
      await engine.accounts.importMany({ tenantId, accounts: [account], nowMs: 1000, by }),
      'tenant_suspended',
    );
    assert.equal(await engine.accounts.findForLogin(tenantId, 'b@x.com'), undefined);
  });
};
