/** Contract of the port of tenants. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { TenantId } from '@catalytic/protocol/ids';
import { by, type OpenEngine, readJournal } from '../engine.contract.ts';
import { usualRegistration } from './rules.ts';

const usual = { status: 'active', registration: usualRegistration } as const;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Registers the suite for one engine. */
export const tenantStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a tenant that is ensured many times at once is made once`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const made = await Promise.all(
      Array.from({ length: 20 }, () => engine.tenants.ensure({ name: 'acme', nowMs: 1000, by })),
    );
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.deepEqual(await engine.tenants.findByName('acme'), { id: made[0]?.id, name: 'acme', ...usual });
  });

  test(`${engineName}: a tenant is found by its exact name only`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    for (const name of ['acm', 'acmee', 'ACME', '']) assert.equal(await engine.tenants.findByName(name), undefined);
  });

  test(`${engineName}: of many tenants made with one name at once exactly one is, and all are listed by name`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const made = await Promise.all(
      Array.from({ length: 20 }, () => engine.tenants.create({ name: 'bolt', nowMs: 1000, by })),
    );
    const winners = made.filter((tenant) => tenant !== 'tenant_taken');
    assert.equal(winners.length, 1);
    for (const name of ['acme', 'cog']) await engine.tenants.ensure({ name: name, nowMs: 1000, by });
    const names = async (after?: string) => (await engine.tenants.list(after, 2)).map(({ name }) => name);
    assert.deepEqual([await names(), await names('bolt')], [['acme', 'bolt'], ['cog']]);
    const [bolt] = winners;
    assert.ok(bolt !== undefined);
    assert.deepEqual(await engine.tenants.find(bolt.id), { id: bolt.id, name: 'bolt', ...usual });
  });

  test(`${engineName}: a suspended tenant is journalled under one epoch, a repeat too, and goes on without its sessions`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    assert.equal(await engine.tenants.suspend({ tenantId: randomUUIDv7() as TenantId, nowMs: 2000, by }), undefined);
    assert.equal(await engine.tenants.resume({ tenantId: randomUUIDv7() as TenantId, nowMs: 2000, by }), undefined);
    const both = await Promise.all([1, 2].map(() => engine.tenants.suspend({ tenantId: id, nowMs: 2000, by })));
    const entries = both.flatMap((recorded) => recorded?.entries ?? []);
    assert.deepEqual(
      entries.map((entry) => [entry.kind, entry.key, 'epoch' in entry && entry.epoch]),
      Array(2).fill(['tenant', id, 1]),
    );
    assert.deepEqual(await readJournal(engine), entries.slice(1), 'a repeat adds no row');
    assert.equal((await engine.tenants.find(id))?.status, 'suspended');
    assert.deepEqual(await engine.tenants.resume({ tenantId: id, nowMs: 3000, by }), {
      ...{ id, name: 'acme', ...usual },
    });
  });

  test(`${engineName}: a tenant is made as told, and it is changed who may register`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const made = await engine.tenants.create({ name: 'acme', registration: 'open', nowMs: 1000, by });
    assert.ok(typeof made === 'object');
    assert.equal(made.registration, 'open');
    const set = (registration: 'open' | 'closed', tenantId = made.id) =>
      engine.tenants.setRegistration({ tenantId, registration, nowMs: 2000, by });
    assert.equal(await set('closed', randomUUIDv7() as TenantId), undefined);
    for (let repeat = 0; repeat < 2; repeat++) assert.equal((await set('closed'))?.registration, 'closed');
    assert.equal((await engine.tenants.findByName('acme'))?.registration, 'closed');
    const { rows } = await engine.audit.list({ tenantId: made.id }, 10);
    assert.deepEqual(
      rows.map(({ reason }) => reason),
      ['registration_changed', 'tenant_created'],
      'a repeat leaves no row',
    );
  });

  test(`${engineName}: a person registers where the tenant is open, or invites and the invitation is good`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    const { id: other } = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    const register = (name: string, invitation: string | null, nowMs = 2000, place = tenantId) =>
      engine.accounts.create({
        ...{ tenantId: place, nowMs, by },
        account: { email: name, emailKey: name, passwordHash: 'h', roles: [] },
        registration: { invitationHash: invitation === null ? null : bytes(invitation) },
      });
    const invite = (code: string) =>
      engine.tenants.invite({ tenantId, hash: bytes(code), expiresAtMs: 5000, nowMs: 1000, by });
    await invite('code');
    assert.equal(await engine.tenants.isInvited(tenantId, bytes('code'), 4999), true);
    assert.equal(await engine.tenants.isInvited(tenantId, bytes('code'), 5000), false);
    assert.equal(await engine.tenants.isInvited(other, bytes('code'), 4999), false);
    for (const [invitation, nowMs, place] of [
      [null, 2000, tenantId],
      ['guess', 2000, tenantId],
      ['code', 5000, tenantId],
      ['code', 2000, other],
    ] as const)
      assert.equal(await register('ada', invitation, nowMs, place), 'registration_refused', String(invitation));
    const taken = { email: 'bob', emailKey: 'bob', passwordHash: 'h', roles: [] };
    await engine.accounts.create({ tenantId, account: taken, nowMs: 1000, by });
    assert.equal(await register('bob', 'code'), 'email_taken', 'which uses nothing up');
    // Several rounds: a pool has one connection for the first, and then more.
    for (let round = 0; round < 8; round++) {
      const code = round === 0 ? 'code' : `code ${round}`;
      if (round > 0) await invite(code);
      const names = Array.from({ length: 10 }, (_, index) => `ada${round}.${index}`);
      const many = await Promise.all(names.map((name) => register(name, code)));
      assert.equal(many.filter((one) => one !== 'registration_refused').length, 1, 'an invitation is for one');
    }
    await engine.tenants.setRegistration({ tenantId, registration: 'closed', nowMs: 2000, by });
    await invite('late');
    assert.equal(await register('eve', 'late'), 'registration_refused', 'a closed tenant takes no invitation');
    await engine.tenants.setRegistration({ tenantId, registration: 'open', nowMs: 2000, by });
    assert.notEqual(await register('eve', 'late'), 'registration_refused');
    assert.equal(await engine.tenants.isInvited(tenantId, bytes('late'), 2000), true, 'an open tenant uses none up');
  });
};
