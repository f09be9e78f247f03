/** Contract of the port of admin keys. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TenantId } from '@catalytic/protocol/ids';
import { by, type Engine, type OpenEngine } from '../engine.contract.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const idOf = (text: string): string => Buffer.from(text).subarray(0, 6).toString('hex');

const add = (engine: Engine, text: string, tenantId: TenantId | null, expiresAtMs: number | null = null) =>
  engine.adminKeys.add({
    hash: bytes(text),
    key: { scopes: ['accounts:import'], tenantId },
    description: `for ${text}`,
    expiresAtMs,
    nowMs: 1000,
    by,
  });

/** Registers the suite for one engine. */
export const adminKeyStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: an admin key is found by its hash, with its scopes, its tenant and its end`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    await add(engine, 'one', tenantId, 5000);
    await add(engine, 'all', null);
    const common = { scopes: ['accounts:import'], createdAtMs: 1000, lastUsedAtMs: null };
    const one = { id: idOf('one'), tenantId, expiresAtMs: 5000, description: 'for one', ...common };
    const all = { id: idOf('all'), tenantId: null, expiresAtMs: null, description: 'for all', ...common };
    assert.deepEqual(await engine.adminKeys.findByHash(bytes('one')), one);
    assert.deepEqual(await engine.adminKeys.findByHash(bytes('all')), all);
    assert.equal(await engine.adminKeys.findByHash(bytes('none')), undefined);
    const list = (of: TenantId | null, after?: string, rowsMax = 10) =>
      engine.adminKeys.list({ tenantId: of, after, rowsMax });
    assert.deepEqual(await list(null), [all, one]);
    assert.deepEqual(await list(null, undefined, 1), [all]);
    assert.deepEqual(await list(null, all.id), [one]);
    assert.deepEqual(await list(tenantId), [one]);
  });

  test(`${engineName}: an admin key is revoked once, by whoever may see it, and is found no more`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: acme } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    const { id: other } = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    await add(engine, 'one', acme);
    await add(engine, 'all', null);
    const revoke = (text: string, tenantId: TenantId | null) =>
      engine.adminKeys.revoke({ id: idOf(text), tenantId, nowMs: 2000, by });
    for (const [text, tenantId] of [
      ['one', other],
      ['all', acme],
      ['none', null],
    ] as const)
      assert.equal(await revoke(text, tenantId), false, text);
    assert.deepEqual(
      (await Promise.all(Array.from({ length: 5 }, () => revoke('one', acme)))).filter((isRevoked) => isRevoked),
      [true],
    );
    assert.equal(await engine.adminKeys.findByHash(bytes('one')), undefined);
    assert.equal((await engine.adminKeys.findByHash(bytes('all')))?.id, idOf('all'));
    assert.equal(await revoke('all', null), true);
    const { rows } = await engine.audit.list({ event: 'authn_token_revoked' }, 10);
    assert.deepEqual(
      rows.map(({ reason, subject, tenantId }) => [reason, subject, tenantId]),
      [
        ['admin_key', idOf('all'), null],
        ['admin_key', idOf('one'), acme],
      ],
    );
  });

  test(`${engineName}: the use of an admin key is recorded, not more often than asked`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    await add(engine, 'one', null);
    const lastUse = async () => (await engine.adminKeys.findByHash(bytes('one')))?.lastUsedAtMs;
    const seen = [];
    for (const nowMs of [10_000, 69_999, 70_000]) {
      await engine.adminKeys.noteUse({ hash: bytes('one'), nowMs, everyMs: 60_000 });
      seen.push(await lastUse());
    }
    assert.deepEqual(seen, [10_000, 10_000, 70_000]);
  });
};
