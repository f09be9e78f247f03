/** Contract of the port of admin keys. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { by, type OpenEngine } from '../engine.contract.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Registers the suite for one engine. */
export const adminKeyStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: an admin key is found by its hash, with its scopes and its tenant`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    await engine.adminKeys.add({
      hash: bytes('one'),
      key: { scopes: ['accounts:import'], tenantId },
      description: 'for acme',
      nowMs: 1000,
      by,
    });
    await engine.adminKeys.add({
      hash: bytes('all'),
      key: { scopes: ['accounts:import'], tenantId: null },
      description: 'for all',
      nowMs: 1000,
      by,
    });
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
