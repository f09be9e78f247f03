/** Contract of the port of admin keys. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenEngine } from '../engine.contract.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Registers the suite for one engine. */
export const adminKeyStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: an admin key is found by its hash, with its scopes and its tenant`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure('acme', 1000);
    await engine.adminKeys.add(bytes('one'), { scopes: ['accounts:import'], tenantId }, 'for acme', 1000);
    await engine.adminKeys.add(bytes('all'), { scopes: ['accounts:import'], tenantId: null }, 'for all', 1000);
    assert.deepEqual(await engine.adminKeys.findByHash(bytes('one')), {
      id: Buffer.from('one').toString('hex'),
      scopes: ['accounts:import'],
      tenantId,
    });
    assert.deepEqual(await engine.adminKeys.findByHash(bytes('all')), {
      id: Buffer.from('all').toString('hex'),
      scopes: ['accounts:import'],
      tenantId: null,
    });
    assert.equal(await engine.adminKeys.findByHash(bytes('none')), undefined);
  });
};
