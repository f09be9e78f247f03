/** Contract of the port of guard keys. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { MemberId, TenantId } from '@catalytic/protocol/ids';
import { addGuardKey, by, guardKeyIdOf, type OpenEngine } from '../engine.contract.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Registers the suite for one engine. */
export const guardKeyStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a guard key is found by its hash, and listed for its tenant`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: tenantId } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    await addGuardKey(engine, 'one', { tenantId, guardsMax: 7, expiresAtMs: 5000 });
    await addGuardKey(engine, 'all');
    const common = { createdAtMs: 1000, lastUsedAtMs: null };
    const one = {
      id: guardKeyIdOf('one'),
      tenantId,
      guardsMax: 7,
      expiresAtMs: 5000,
      description: 'for one',
      ...common,
    };
    const all = {
      id: guardKeyIdOf('all'),
      tenantId: null,
      guardsMax: 10,
      expiresAtMs: null,
      description: 'for all',
      ...common,
    };
    assert.deepEqual(await engine.guardKeys.findByHash(bytes('one')), one);
    assert.deepEqual(await engine.guardKeys.findByHash(bytes('all')), all);
    assert.equal(await engine.guardKeys.findByHash(bytes('none')), undefined);
    const list = (of: TenantId | null, after?: string, rowsMax = 10) =>
      engine.guardKeys.list({ tenantId: of, after, rowsMax });
    assert.deepEqual(await list(null), [all, one]);
    assert.deepEqual(await list(null, undefined, 1), [all]);
    assert.deepEqual(await list(null, all.id), [one]);
    assert.deepEqual(await list(tenantId), [one]);
    for (const nowMs of [10_000, 69_999])
      await engine.guardKeys.noteUse({ hash: bytes('one'), nowMs, everyMs: 60_000 });
    assert.equal((await engine.guardKeys.findByHash(bytes('one')))?.lastUsedAtMs, 10_000);
  });

  test(`${engineName}: a guard key is revoked once, by whoever may see it, and its guards are marked`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { id: acme } = await engine.tenants.ensure({ name: 'acme', nowMs: 1000, by });
    const { id: other } = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    await addGuardKey(engine, 'one', { tenantId: acme });
    await addGuardKey(engine, 'all');
    const [mine, theirs] = [randomUUIDv7(), randomUUIDv7()] as [MemberId, MemberId];
    const guard = { name: 'api', kinds: 'session', leaseMs: 5000, perKeyMax: 10, allMax: 10, nowMs: 1000 };
    await engine.guards.register({ ...guard, id: mine, key: guardKeyIdOf('one') });
    await engine.guards.register({ ...guard, id: theirs, key: guardKeyIdOf('all') });
    const revoke = (hash: string, tenantId: TenantId | null) =>
      engine.guardKeys.revoke({ id: guardKeyIdOf(hash), tenantId, nowMs: 2000, by });
    for (const [hash, tenantId] of [
      ['one', other],
      ['all', acme],
      ['none', null],
    ] as const)
      assert.equal(await revoke(hash, tenantId), false, hash);
    const states = async () => new Map((await engine.members.list()).map(({ id, state }) => [id, state]));
    assert.deepEqual([...(await states()).values()], ['live', 'live']);

    assert.deepEqual(
      (await Promise.all(Array.from({ length: 5 }, () => revoke('one', acme)))).filter((isRevoked) => isRevoked),
      [true],
    );
    assert.equal(await engine.guardKeys.findByHash(bytes('one')), undefined);
    assert.deepEqual([(await states()).get(mine), (await states()).get(theirs)], ['leaving', 'live']);
    const { rows } = await engine.audit.list({}, 3);
    assert.deepEqual(
      rows.map(({ event, reason, subject, tenantId }) => [event, reason, subject, tenantId]),
      [
        ['authn_token_revoked', 'guard_key', guardKeyIdOf('one'), acme],
        ['authn_token_created', 'guard_key', guardKeyIdOf('all'), null],
        ['authn_token_created', 'guard_key', guardKeyIdOf('one'), acme],
      ],
    );
  });
};
