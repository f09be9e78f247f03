/** Contract of the port of tenants. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenEngine } from '../engine.contract.ts';

/** Registers the suite for one engine. */
export const tenantStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a tenant that is ensured many times at once is made once`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const made = await Promise.all(Array.from({ length: 20 }, () => engine.tenants.ensure('acme', 1000)));
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    assert.deepEqual(await engine.tenants.findByName('acme'), { id: made[0]?.id, name: 'acme', status: 'active' });
  });

  test(`${engineName}: a tenant is found by its exact name only`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await engine.tenants.ensure('acme', 1000);
    for (const name of ['acm', 'acmee', 'ACME', '']) assert.equal(await engine.tenants.findByName(name), undefined);
  });
};
