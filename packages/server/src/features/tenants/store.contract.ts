/** Contract of the port of tenants. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { TenantId } from '@catalytic/protocol/ids';
import { by, type OpenEngine, readJournal } from '../engine.contract.ts';

/** Registers the suite for one engine. */
export const tenantStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a tenant that is ensured many times at once is made once`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const made = await Promise.all(
      Array.from({ length: 20 }, () => engine.tenants.ensure({ name: 'acme', nowMs: 1000, by })),
    );
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.deepEqual(await engine.tenants.findByName('acme'), { id: made[0]?.id, name: 'acme', status: 'active' });
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
    assert.deepEqual(await engine.tenants.find(bolt.id), { id: bolt.id, name: 'bolt', status: 'active' });
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
      id,
      name: 'acme',
      status: 'active',
    });
  });
};
