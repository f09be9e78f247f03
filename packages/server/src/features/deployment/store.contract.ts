/** Contract of the port of the deployment. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { test } from 'node:test';
import type { KeyId, MemberId } from '@catalytic/protocol/ids';
import { addGuardKey, by, guardKeyIdOf, type OpenEngine, readJournal, seedAccount } from '../engine.contract.ts';
import type { StoredSigningKey } from '../signing-keys/store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const keyOf = (kid: string): StoredSigningKey => ({
  kid: kid as KeyId,
  algorithm: 'ES256',
  publicJwk: `{"kid":"${kid}"}`,
  privateBox: bytes(kid),
  createdAtMs: 1000,
  activatesAtMs: 1000,
  retiresAtMs: null,
});

/** Registers the suite for one engine. */
export const deploymentStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a purge takes old records of the audit trail, a bounded number at a time`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const row = { event: 'authn_login_fail', reason: 'account_unknown', by } as const;
    // The last one but one was written late, as a row may be.
    await engine.audit.record([2000, 5000, 9000, 5000, 9000].map((atMs) => ({ ...row, atMs })));
    const times = async () => (await engine.audit.list({}, 10)).rows.map(({ atMs }) => atMs);
    assert.equal(await engine.deployment.purgeAudit({ nowMs: 2500, sinceMs: 500, rowsMax: 10 }), 0);
    assert.equal(await engine.deployment.purgeAudit({ nowMs: 6500, sinceMs: 500, rowsMax: 1 }), 1);
    assert.deepEqual(await times(), [9000, 5000, 9000, 5000]);
    assert.equal(await engine.deployment.purgeAudit({ nowMs: 6500, sinceMs: 500, rowsMax: 10 }), 2);
    assert.deepEqual(await times(), [9000, 9000]);
  });

  test(`${engineName}: a new history ends all sessions, kills all keys for ever and is told from the old one`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const refreshToken = { hash: bytes('r0'), expiresAtMs: 101_000 };
    const { passwordHash } = account;
    await engine.sessions.open({
      tenantId,
      accountId,
      passwordHash,
      amr: ['pwd'],
      nowMs: 1000,
      refreshToken,
      sessionsMax: 10,
      by,
    });
    await engine.signingKeys.addFirst({ key: keyOf('k0'), by });
    await engine.signingKeys.addSuccessor({ key: keyOf('k1'), by });
    const source = engine.journal.openSource();
    const member = randomUUIDv7() as MemberId;
    await source.register(member, 1000);
    await addGuardKey(engine, 'key');
    const guard = randomUUIDv7() as MemberId;
    const key = guardKeyIdOf('key');
    const asked = { name: 'api', kinds: 'session', leaseMs: 5000, perKeyMax: 10, allMax: 10, nowMs: 1000 };
    await engine.guards.register({ id: guard, key, ...asked });
    const before = await source.read(member, undefined);
    const generation = await engine.deployment.generation();
    // What reads the journal serves, and a database that is served begins no new history.
    await source.close();

    const cost = await engine.deployment.beginNewHistory({ key: keyOf('k2'), nowMs: 2000, by });

    assert.deepEqual(cost, { keysKilled: 2, sessionsEnded: 1 });
    assert.equal(await engine.deployment.generation(), generation + 1);
    const killed = (await readJournal(engine)).filter(({ kind }) => kind === 'key');
    assert.deepEqual(killed.map(({ key, keepUntilMs }) => [key, keepUntilMs]).sort(), [
      ['k0', null],
      ['k1', null],
    ]);
    const keys = await engine.signingKeys.list();
    assert.deepEqual(
      keys.filter(({ retiresAtMs }) => retiresAtMs === null).map(({ kid }) => kid),
      ['k2'],
    );
    assert.ok(keys.every(({ kid, retiresAtMs }) => kid === 'k2' || retiresAtMs === 2000));
    const rotated = await engine.sessions.rotate({
      presentedHash: bytes('r0'),
      successor: { hash: bytes('r1'), expiresAtMs: 101_000 },
      successorBox: bytes('box'),
      nowMs: 3000,
      graceMs: 0,
      by,
    });
    assert.equal(rotated.outcome, 'session_ended');
    const later = engine.journal.openSource();
    t.after(() => later.close());
    const after = await later.read(member, before.cursor);
    assert.notEqual(after.identity, before.identity);
    assert.equal(after.isMember, false, 'no process of the old history goes on');
    const rows = await engine.members.list();
    assert.deepEqual(
      rows.map(({ kind, state, leaseMs }) => [kind, state, leaseMs]).sort(),
      [
        ['guard', 'leaving', 30_000],
        ['guard', 'leaving', 5000],
      ],
      'revocations wait for guards of the old history, known or not',
    );
    assert.ok(rows.some(({ id }) => id === guard));
  });
};
