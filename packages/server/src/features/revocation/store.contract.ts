/** Contract of the ports of the journal and of the members. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { JournalId, MemberId, SessionId } from '@catalytic/protocol/ids';
import { entryId, type JournalEntry, keepUntilMs } from '@catalytic/protocol/journal';
import { by, type Engine, type OpenEngine, readJournal, seedAccount, unplaced } from '../engine.contract.ts';
import type { JournalSource } from './store.ts';

const newMember = (): MemberId => randomUUIDv7() as MemberId;

const start = async (t: TestContext, open: OpenEngine) => {
  const engine = await open();
  t.after(() => engine.close());
  const { tenantId } = await seedAccount(engine);
  const end = (nowMs = 1000) => engine.sessions.end({ tenantId, sessionId: randomUUIDv7() as SessionId, nowMs, by });
  return { engine, tenantId, end };
};

const sourceOf = (t: TestContext, engine: Engine): JournalSource => {
  const source = engine.journal.openSource();
  t.after(() => source.close());
  return source;
};

const keeping = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: an entry is kept for the longest lifetime ever used, which is never lowered`, async (t) => {
    const { engine, end } = await start(t, open);
    assert.equal(await engine.journal.raiseTokenSecondsMax(900), 900);
    assert.equal(await engine.journal.raiseTokenSecondsMax(60), 900);
    const before = Date.now();
    const { entries } = await end();
    const keptMs = (entries[0]?.keepUntilMs ?? 0) - before;
    // The engine's own wall clock counts, not the caller's.
    const leastMs = keepUntilMs(0, 900);
    assert.ok(keptMs >= leastMs - 1 && keptMs < leastMs + 60_000, `kept for ${keptMs} ms, not ${leastMs}`);
  });

  test(`${engineName}: an entry has the id that whoever writes it back gives it`, async (t) => {
    const { engine, tenantId, end } = await start(t, open);
    const suspended = await engine.tenants.suspend({ tenantId, nowMs: 1000, by });
    const entries = [...(await end()).entries, ...(suspended?.entries ?? [])];
    assert.deepEqual(
      entries.map(({ kind }) => kind),
      ['session', 'tenant'],
    );
    for (const entry of entries) assert.equal(entry.id, entryId(entry));
    const source = sourceOf(t, engine);
    await source.restore(entries);
    assert.equal((await readJournal(engine)).length, 2);
  });

  test(`${engineName}: a purge takes what is past its time, a bounded number at a time`, async (t) => {
    const { engine, end } = await start(t, open);
    for (let index = 0; index < 4; index++) await end();
    await engine.journal.raiseTokenSecondsMax(3600);
    const kept = await end();
    const purge = () => engine.journal.purge({ nowMs: Date.now(), sinceMs: -keepUntilMs(0, 0) - 100, rowsMax: 2 });
    assert.equal(await purge(), 2);
    // The newest of them stays: a reader knows the history by it.
    assert.equal(await purge(), 1);
    assert.equal(await purge(), 0);
    assert.deepEqual((await readJournal(engine)).slice(1), kept.entries);
  });
};

const reading = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: the first read brings everything, each later one what is new`, async (t) => {
    const { engine, end } = await start(t, open);
    const source = sourceOf(t, engine);
    const member = newMember();
    await source.register(member, 1000);
    const early = await end();
    const first = await source.read(member, undefined);
    assert.deepEqual(first.entries.map(unplaced), early.entries);
    const late = [await end(), await end()];
    const second = await source.read(member, first.cursor);
    assert.deepEqual(
      second.entries.map(unplaced),
      late.flatMap(({ entries }) => entries),
    );
    assert.deepEqual((await source.read(member, second.cursor)).entries, []);
    assert.equal(second.identity, first.identity);
    assert.deepEqual([second.isPrimary, second.isMember, second.members], [true, true, 1]);
  });

  test(`${engineName}: an entry written after the newest one was purged is not skipped`, async (t) => {
    const { engine, end } = await start(t, open);
    const source = sourceOf(t, engine);
    await end();
    const { cursor } = await source.read(newMember(), undefined);
    await engine.journal.purge({ nowMs: Date.now(), sinceMs: -keepUntilMs(0, 0) - 100, rowsMax: 10 });
    const { entries } = await end();
    const page = await source.read(newMember(), cursor);
    assert.deepEqual([page.isContinued, page.entries.map(unplaced)], [true, entries]);
  });

  test(`${engineName}: entries the database has lost are written back once, whatever kind they are`, async (t) => {
    const { engine, end } = await start(t, open);
    const source = sourceOf(t, engine);
    const known = await end();
    const id = (): JournalId => randomUUIDv7() as JournalId;
    const lost = [
      { id: id(), kind: 'session', key: randomUUIDv7(), keepUntilMs: 5000 },
      { id: id(), kind: 'account', key: randomUUIDv7(), epoch: 7, keepUntilMs: 6000 },
      { id: id(), kind: 'account', key: randomUUIDv7(), epoch: 8, keepUntilMs: 6000, keepsSessions: true },
      { id: id(), kind: 'key', key: 'kid', keepUntilMs: null },
    ] as unknown as JournalEntry[];
    await source.restore([...known.entries, ...lost]);
    await source.restore(lost);
    assert.deepEqual(await readJournal(engine), [...known.entries, ...lost]);
  });
};

const histories = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a cursor whose newest entry does not stand where it stood is of another history, which is named once`, async (t) => {
    const { engine, end } = await start(t, open);
    const source = sourceOf(t, engine);
    const none = await source.read(newMember(), undefined);
    await end();
    const { cursor, applied } = await source.read(newMember(), none.cursor);
    assert.equal((await source.read(newMember(), cursor)).isContinued, true);
    // As if an earlier state of the database had been put back, in which other entries were written
    // since.
    const putBack = await start(t, open);
    const elsewhere = sourceOf(t, putBack.engine);
    const member = newMember();
    await elsewhere.register(member, 1000);
    await putBack.end();
    const page = await elsewhere.read(member, cursor);
    assert.equal(page.isContinued, false);
    await elsewhere.acknowledge(member, applied);
    assert.deepEqual((await putBack.engine.members.list())[0]?.applied, null, 'what was read in another history');

    await elsewhere.renameHistory(page.identity);
    const named = await elsewhere.read(member, undefined);
    assert.equal(named.isContinued, true);
    assert.notEqual(named.identity, page.identity);
    await elsewhere.renameHistory(page.identity);
    const again = await elsewhere.read(member, named.cursor);
    assert.deepEqual([again.isContinued, again.identity], [true, named.identity], 'whoever comes later finds the name');
  });
};

const membership = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a member is live until it is marked, and is then told so by its own read`, async (t) => {
    const { engine } = await start(t, open);
    const source = sourceOf(t, engine);
    const [one, two] = [newMember(), newMember()];
    await source.register(one, 1000);
    await source.register(two, 2000);
    await engine.members.markLeaving([one, newMember()]);
    const rows = (await engine.members.list()).toSorted((a, b) => Number(a.leaseMs) - Number(b.leaseMs));
    assert.deepEqual(rows, [
      { id: one, state: 'leaving', leaseMs: 1000, applied: null, kind: 'worker', seen: 0 },
      { id: two, state: 'live', leaseMs: 2000, applied: null, kind: 'worker', seen: 0 },
    ]);
    assert.equal((await source.read(one, undefined)).isMember, false);
    const page = await source.read(two, undefined);
    assert.deepEqual([page.isMember, page.members], [true, 2]);
    await engine.members.remove([one]);
    await source.unregister([two]);
    assert.deepEqual(await engine.members.list(), []);
    assert.equal((await source.read(two, undefined)).isMember, false);
  });

  test(`${engineName}: an acknowledgement covers what its read has shown, and nothing later`, async (t) => {
    const { engine, end } = await start(t, open);
    const source = sourceOf(t, engine);
    const member = newMember();
    await source.register(member, 1000);
    const shown = await end();
    const page = await source.read(member, undefined);
    const later = await end();
    assert.equal((await engine.members.list())[0]?.applied, null);
    await source.acknowledge(member, page.applied);
    const applied = (await engine.members.list())[0]?.applied ?? '';
    assert.equal(engine.members.covers(applied, shown.position), true);
    assert.equal(engine.members.covers(applied, later.position), false);
  });

  test(`${engineName}: whoever is no member acknowledges nothing`, async (t) => {
    const { engine } = await start(t, open);
    const source = sourceOf(t, engine);
    const { applied } = await source.read(newMember(), undefined);
    await source.acknowledge(newMember(), applied);
    assert.deepEqual(await engine.members.list(), []);
  });
};

/** Registers the suite for one engine. */
export const journalStoreContract = (engineName: string, open: OpenEngine): void => {
  keeping(engineName, open);
  reading(engineName, open);
  histories(engineName, open);
  membership(engineName, open);
};
