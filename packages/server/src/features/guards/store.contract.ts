/** Contract of the port of guards. @module */
import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { MemberId, SessionId } from '@catalytic/protocol/ids';
import { addGuardKey, by, type Engine, guardKeyIdOf, type OpenEngine, seedAccount } from '../engine.contract.ts';
import type { NewGuard, PageRequest } from './store.ts';

const newMember = (): MemberId => randomUUIDv7() as MemberId;

/** An engine with the guard keys `one` and `two`. */
const start = async (t: TestContext, open: OpenEngine) => {
  const engine = await open();
  t.after(() => engine.close());
  await addGuardKey(engine, 'one');
  await addGuardKey(engine, 'two');
  const register = (of: Partial<NewGuard> = {}) =>
    engine.guards.register({
      id: newMember(),
      key: guardKeyIdOf('one'),
      name: 'api',
      kinds: 'session,account',
      leaseMs: 5000,
      perKeyMax: 3,
      allMax: 5,
      nowMs: Date.now(),
      ...of,
    });
  return { engine, register };
};

const outcomes = (results: readonly { readonly outcome: string }[]): readonly string[] =>
  results.map(({ outcome }) => outcome).sort();

const registering = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a guard is a live member until it leaves, which only its own key can say`, async (t) => {
    const { engine, register } = await start(t, open);
    const id = newMember();
    assert.deepEqual(await register({ id }), { outcome: 'registered' });
    const row = { id, state: 'live', leaseMs: 5000, applied: null, kind: 'guard', seen: 0 };
    assert.deepEqual(await engine.members.list(), [row]);
    await engine.guards.seen([id, newMember()]);
    await engine.guards.seen([id]);
    assert.deepEqual(await engine.members.list(), [{ ...row, seen: 2 }]);
    assert.equal(await engine.guards.leave({ id, key: guardKeyIdOf('two') }), false);
    assert.equal((await engine.members.list()).length, 1);
    assert.equal(await engine.guards.leave({ id, key: guardKeyIdOf('one') }), true);
    assert.equal(await engine.guards.leave({ id, key: guardKeyIdOf('one') }), false);
    assert.deepEqual(await engine.members.list(), []);
  });

  test(`${engineName}: a registration changes no row that is there`, async (t) => {
    const { engine, register } = await start(t, open);
    const id = newMember();
    await register({ id });
    await engine.members.markLeaving([id]);
    await assert.rejects(register({ id, key: guardKeyIdOf('two'), leaseMs: 2000 }));
    assert.deepEqual(
      (await engine.members.list()).map(({ state, leaseMs }) => [state, leaseMs]),
      [['leaving', 5000]],
    );
    assert.equal(await engine.guards.leave({ id, key: guardKeyIdOf('two') }), false);
  });

  test(`${engineName}: of guards that race for the last places, no more are registered than there are`, async (t) => {
    const { engine, register } = await start(t, open);
    const two = { key: guardKeyIdOf('two') };
    // Several rounds: a pool has one connection for the first, and then more.
    for (let round = 0; round < 8; round++) {
      const ids = Array.from({ length: 6 }, newMember);
      const raced = await Promise.all(ids.map((id) => register({ id })));
      assert.deepEqual(outcomes(raced), [...Array(3).fill('registered'), ...Array(3).fill('too many')]);
      if (round < 7) await engine.members.remove(ids);
    }
    assert.deepEqual(outcomes(await Promise.all(Array.from({ length: 3 }, () => register(two)))), [
      ...Array(2).fill('registered'),
      'too many',
    ]);
  });

  test(`${engineName}: no guard is registered with a revoked key, nor beside a worker that knows none`, async (t) => {
    const { engine, register } = await start(t, open);
    const source = engine.journal.openSource();
    t.after(() => source.close());
    await source.register(newMember(), 1000);
    assert.deepEqual(await register(), { outcome: 'registered' });
    const id = newMember();
    await engine.force.olderMember(id);
    assert.deepEqual(await register(), { outcome: 'older version present' });
    await engine.members.remove([id]);
    for (let round = 0; round < 8; round++) {
      const hash = `${round} raced`;
      await addGuardKey(engine, hash);
      const key = guardKeyIdOf(hash);
      await Promise.all([
        register({ key }),
        engine.guardKeys.revoke({ id: key, tenantId: null, nowMs: 2000, by }),
        register({ key }),
      ]);
      assert.deepEqual(await register({ key }), { outcome: 'no key' });
    }
    await engine.guardKeys.revoke({ id: guardKeyIdOf('one'), tenantId: null, nowMs: 2000, by });
    const live = (await engine.members.list()).filter(({ kind, state }) => kind === 'guard' && state === 'live');
    assert.deepEqual(live, [], 'whichever came first');
  });

  test(`${engineName}: a key whose guards fell silent three times registers none for half a minute`, async (t) => {
    const { engine, register } = await start(t, open);
    for (let mark = 0; mark < 3; mark++) {
      const ids = [newMember(), newMember()];
      for (const id of ids) assert.deepEqual(await register({ id }), { outcome: 'registered' }, `${mark}`);
      // Several at once are one mark, and so is the repeated mark of another worker.
      await Promise.all([engine.members.markLeaving(ids), engine.members.markLeaving(ids)]);
      await engine.members.remove(ids);
    }
    const refused = await register();
    assert.equal(refused.outcome, 'unsteady');
    assert.ok('retryAfterSeconds' in refused && refused.retryAfterSeconds > 25 && refused.retryAfterSeconds <= 30);
    assert.deepEqual(await register({ key: guardKeyIdOf('two') }), { outcome: 'registered' });
    assert.deepEqual(await register({ nowMs: Date.now() + 31_000 }), { outcome: 'registered' });
  });
};

/** A sign-out in a tenant, a suspended tenant and a killed key, in the order of the journal. */
const writeJournal = async (engine: Engine) => {
  const { tenantId } = await seedAccount(engine);
  const { id: other } = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
  const end = () => engine.sessions.end({ tenantId, sessionId: randomUUIDv7() as SessionId, nowMs: 1000, by });
  const ended = [await end(), await end()].flatMap(({ entries }) => entries);
  const suspended = (await engine.tenants.suspend({ tenantId: other, nowMs: 1000, by }))?.entries ?? [];
  const source = engine.journal.openSource();
  const lost = { id: randomUUIDv7(), kind: 'key', key: 'kid', keepUntilMs: null } as never;
  await source.restore([lost]);
  const { identity } = await source.read(newMember(), undefined);
  await source.close();
  return { tenantId, other, identity, ended, suspended, lost };
};

const paging = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: the journal is given in pages, to a tenant only what concerns it or everybody`, async (t) => {
    const { engine } = await start(t, open);
    const { tenantId, other, identity, ended, suspended, lost } = await writeJournal(engine);
    const read = async (of: Partial<PageRequest> = {}) =>
      engine.guards.page({ history: identity, after: undefined, upTo: 2n ** 62n, tenantId: null, rowsMax: 10, ...of });
    const { isSameHistory, entries } = await read();
    assert.equal(isSameHistory, true);
    assert.deepEqual(
      entries.map(({ place: _, tenantId: of, ...entry }) => [of, entry]),
      [...ended.map((entry) => [tenantId, entry]), ...suspended.map((entry) => [other, entry]), [null, lost]],
    );
    const ids = async (of: Partial<PageRequest>) => (await read(of)).entries.map(({ id }) => id);
    const all = entries.map(({ id }) => id);
    assert.deepEqual(await ids({ tenantId }), [all[0], all[1], all[3]]);
    assert.deepEqual(await ids({ tenantId: other }), [all[2], all[3]]);
    assert.deepEqual(await ids({ rowsMax: 3 }), all.slice(0, 3));
    assert.deepEqual(await ids({ after: entries[1] }), all.slice(2));
    assert.deepEqual(await ids({ upTo: entries[2]?.place ?? 0n }), all.slice(0, 3));
    assert.deepEqual(await ids({ upTo: 0n }), []);
    assert.equal((await read({ history: 'another' })).isSameHistory, false);
    assert.equal((await read({ upTo: 0n })).isSameHistory, true);
  });
};

const following = (engineName: string, open: OpenEngine): void => {
  test(`${engineName}: a read shows where its entries stand, whom they concern, and which guards are live`, async (t) => {
    const { engine, register } = await start(t, open);
    const { tenantId } = await seedAccount(engine);
    const end = () => engine.sessions.end({ tenantId, sessionId: randomUUIDv7() as SessionId, nowMs: 1000, by });
    const source = engine.journal.openSource();
    t.after(() => source.close());
    const member = newMember();
    await source.register(member, 1000);
    const [id, marked] = [newMember(), newMember()];
    await register({ id, leaseMs: 4000 });
    await register({ id: marked });
    await engine.members.markLeaving([marked]);
    const none = await source.read(member, undefined);
    assert.deepEqual(none.guards, [{ id, keyId: guardKeyIdOf('one'), leaseMs: 4000 }]);
    assert.deepEqual(none.coverage, { history: none.identity, upTo: 0n, id: null, except: [] });
    assert.equal(none.members, 1, 'guards are no members that read');
    await end();
    await end();
    const { entries, coverage } = await source.read(member, none.cursor);
    const last = entries.at(-1);
    assert.deepEqual(coverage, { history: none.identity, upTo: last?.place, id: last?.id, except: [] });
    assert.ok((entries[0]?.place ?? 0n) < (last?.place ?? 0n));
    assert.deepEqual([entries[0]?.tenantId, entries.length], [tenantId, 2]);
  });

  test(`${engineName}: a guard's acknowledgement covers what it says, in its history, and never goes back`, async (t) => {
    const { engine, register } = await start(t, open);
    const { tenantId } = await seedAccount(engine);
    const end = () => engine.sessions.end({ tenantId, sessionId: randomUUIDv7() as SessionId, nowMs: 1000, by });
    const source = engine.journal.openSource();
    t.after(() => source.close());
    const [member, id] = [newMember(), newMember()];
    await source.register(member, 1000);
    await register({ id });
    const early = await end();
    const first = await source.read(member, undefined);
    const late = await end();
    const second = await source.read(member, first.cursor);
    const covered = async (): Promise<readonly boolean[]> => {
      const row = (await engine.members.list()).find((each) => each.id === id);
      const covers = ({ position }: { position: string }) => engine.members.covers(row?.applied ?? '', position);
      return row?.applied === null ? [] : [covers(early), covers(late)];
    };
    const another = { ...second.coverage, history: randomUUIDv7() };
    await source.acknowledgeFor(new Map([[id, another]]));
    assert.deepEqual(await covered(), [], 'of another history');
    await source.acknowledgeFor(new Map([[id, first.coverage]]));
    assert.deepEqual(await covered(), [true, false]);
    await source.acknowledgeFor(new Map([[id, second.coverage]]));
    await source.acknowledgeFor(new Map([[id, first.coverage]]));
    assert.deepEqual(await covered(), [true, true]);
    await source.acknowledgeFor(new Map([[member, second.coverage]]));
    assert.equal((await engine.members.list()).find((each) => each.id === member)?.applied, null, 'for guards only');
  });
};

/** Registers the suite for one engine. */
export const guardStoreContract = (engineName: string, open: OpenEngine): void => {
  registering(engineName, open);
  paging(engineName, open);
  following(engineName, open);
};
