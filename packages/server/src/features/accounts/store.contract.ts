/** Contract of the port of accounts. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { AccountId } from '@catalytic/protocol/ids';
import { type OpenEngine, seedAccount } from '../engine.contract.ts';

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
    const { id: tenantId } = await engine.tenants.ensure('default', 1000);
    const account = { email: 'A@x.com', emailKey: 'a@x.com', passwordHash: 'h', roles: [] };
    const results = await Promise.all(
      Array.from({ length: 30 }, () => engine.accounts.create(tenantId, account, 1000)),
    );
    assert.equal(results.filter((result) => result !== 'email_taken').length, 1);
  });

  test(`${engineName}: tenants do not see each other's accounts, and may have the same email`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const other = await engine.tenants.ensure('other', 1000);
    assert.equal(await engine.accounts.find(other.id, accountId), undefined);
    assert.equal(await engine.accounts.findForLogin(other.id, account.emailKey), undefined);
    const twin = await engine.accounts.create(other.id, account, 1000);
    assert.notEqual(twin, 'email_taken');
    assert.equal((await engine.accounts.findForLogin(tenantId, account.emailKey))?.account.id, accountId);
    assert.equal(await engine.accounts.upgradePasswordHash(other.id, accountId, account.passwordHash, 'new'), false);
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
    assert.deepEqual(await engine.accounts.importMany(tenantId, batch, 2000), { imported: 2, existing: 2 });
    assert.equal((await engine.accounts.findForLogin(tenantId, 'ada@example.com'))?.passwordHash, account.passwordHash);
    assert.equal((await engine.accounts.findForLogin(tenantId, 'cyd@example.com'))?.passwordHash, 'imported');
  });

  test(`${engineName}: a hash is upgraded only from the hash that was checked`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    assert.equal(await engine.accounts.upgradePasswordHash(tenantId, accountId, 'another', 'new'), false);
    const both = await Promise.all(
      ['new 1', 'new 2'].map((hash) =>
        engine.accounts.upgradePasswordHash(tenantId, accountId, account.passwordHash, hash),
      ),
    );
    assert.deepEqual(both.toSorted(), [false, true]);
  });

  test(`${engineName}: an unknown account is not found`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure('default', 1000);
    assert.equal(await engine.accounts.find(tenantId, randomUUIDv7() as AccountId), undefined);
    assert.equal(await engine.accounts.findForLogin(tenantId, 'nobody@example.com'), undefined);
  });
};
