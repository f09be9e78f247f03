/** Contract of the port of the journal. @module */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SessionId } from '@catalytic/protocol/ids';
import { keepUntilMs } from '@catalytic/protocol/journal';
import { type OpenEngine, seedAccount } from '../engine.contract.ts';

/** Registers the suite for one engine. */
export const journalStoreContract = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: an entry is kept for the longest lifetime ever used, which is never lowered`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId } = await seedAccount(engine);
    await engine.journal.raiseTokenSecondsMax(900);
    await engine.journal.raiseTokenSecondsMax(60);
    const [entry] = await engine.sessions.end(tenantId, 's' as SessionId, 5000);
    assert.equal(entry?.keepUntilMs, keepUntilMs(5000, 900));
  });

  test(`${engineName}: what is read is what is still needed`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId } = await seedAccount(engine);
    await engine.journal.raiseTokenSecondsMax(100);
    const early = await engine.sessions.end(tenantId, 'early' as SessionId, 1000);
    const late = await engine.sessions.end(tenantId, 'late' as SessionId, 2000);
    assert.deepEqual(await engine.journal.readLive(keepUntilMs(1000, 100)), [...early, ...late]);
    assert.deepEqual(await engine.journal.readLive(keepUntilMs(1000, 100) + 1), late);
  });

  test(`${engineName}: a purge takes what is past its time, a bounded number at a time`, async (t) => {
    const engine = await open();
    t.after(() => engine.close());
    const { tenantId } = await seedAccount(engine);
    for (const name of ['a', 'b', 'c']) await engine.sessions.end(tenantId, name as SessionId, 1000);
    const [kept] = await engine.sessions.end(tenantId, 'kept' as SessionId, 9000);
    const beforeMs = keepUntilMs(9000, 0);
    assert.equal(await engine.journal.purge(beforeMs, 2), 2);
    assert.equal(await engine.journal.purge(beforeMs, 2), 1);
    assert.equal(await engine.journal.purge(beforeMs, 2), 0);
    assert.deepEqual(await engine.journal.readLive(0), [kept]);
  });
};
