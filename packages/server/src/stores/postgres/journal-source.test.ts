import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MemberId, SessionId } from '@catalytic/protocol/ids';
import { Client } from 'pg';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { waitUntil } from '../../../../../tests/harness/wait-until.ts';
import { addGuardKey, by, guardKeyIdOf, seedAccount, unplaced } from '../../features/engine.contract.ts';
import { postgresGuards } from './guards.ts';
import { isVisible, postgresMembers } from './members.ts';
import { Transactions } from './transactions.ts';

const { suite, test } = nodeTest;

const newMember = (): MemberId => randomUUIDv7() as MemberId;

/** What a page brought: the keys of its entries. */
const keys = ({ entries }: { entries: readonly { key: string }[] }): readonly string[] => entries.map(({ key }) => key);

suite('PostgreSQL: the journal', needsPostgres(), () => {
  // The server flushes what is not committed as rarely as it can: what a crash should forget must not be on the disk yet.
  const server = sharedServer(nodeTest, { max_prepared_transactions: 5, wal_writer_delay: '10s' });

  const start = async (t: nodeTest.TestContext) => {
    const database = await createDatabase(await server());
    const engine = await openEngine(database, { onProblem: () => {} });
    t.after(() => engine.close());
    const source = engine.journal.openSource();
    t.after(() => source.close());
    const { tenantId } = await seedAccount(engine);
    const end = async (): Promise<string> => {
      const { entries } = await engine.sessions.end({
        tenantId,
        sessionId: randomUUIDv7() as SessionId,
        nowMs: 1000,
        by,
      });
      return entries[0]?.key ?? '';
    };
    const connect = async (): Promise<Client> => {
      const client = new Client({ connectionString: database.url });
      client.on('error', () => {});
      await client.connect();
      t.after(() => client.end());
      return client;
    };
    return { engine, source, end, connect, database, tenantId };
  };

  test('a transaction that commits late, with a lower id than what was read, is not skipped', async (t) => {
    const { source, end, connect } = await start(t);
    const late = await connect();
    await late.query('begin');
    await late.query(
      "insert into journal (id, kind, key, keep_until) values (gen_random_uuid(), 'session', 'late', 9)",
    );
    const early = await end();
    const first = await source.read(newMember(), undefined);
    assert.deepEqual(keys(first), [early]);
    const between = await end();
    const second = await source.read(newMember(), first.cursor);
    assert.deepEqual(keys(second), [between]);
    await late.query('commit');
    const third = await source.read(newMember(), second.cursor);
    assert.deepEqual(keys(third), ['late']);
    assert.deepEqual(keys(await source.read(newMember(), third.cursor)), []);
  });

  test('what a guard has does not cover a transaction that was open, until it has its rows', async (t) => {
    const { engine, source, end, connect } = await start(t);
    await addGuardKey(engine, 'one');
    const guard = newMember();
    const key = guardKeyIdOf('one');
    await engine.guards.register({
      ...{ id: guard, key, name: 'api', kinds: 'session', leaseMs: 5000, perKeyMax: 3, allMax: 5, nowMs: Date.now() },
    });
    const late = await connect();
    await late.query('begin');
    const { rows } = await late.query<{ xid: string }>(
      "insert into journal (id, kind, key, keep_until) values (gen_random_uuid(), 'session', 'late', 9) returning xid",
    );
    const xid = rows[0]?.xid ?? '';
    await end();
    const first = await source.read(newMember(), undefined);
    assert.deepEqual(first.coverage.except, [BigInt(xid)]);
    const covers = async (): Promise<boolean> => {
      const applied = (await engine.members.list())[0]?.applied ?? '';
      return engine.members.covers(applied, `${first.identity} ${xid}`);
    };
    await source.acknowledgeFor(new Map([[guard, first.coverage]]));
    assert.equal(await covers(), false);
    await late.query('commit');
    const second = await source.read(newMember(), first.cursor);
    assert.deepEqual(second.coverage, { ...first.coverage, except: [] });
    await source.acknowledgeFor(new Map([[guard, second.coverage]]));
    assert.equal(await covers(), true, 'the same end with one exception less is an advance');
  });

  test('a forgotten prepared transaction and a long one neither hide nor repeat what others write', async (t) => {
    const { source, end, connect } = await start(t);
    const forgotten = await connect();
    await forgotten.query('begin; select pg_current_xact_id()');
    await forgotten.query("prepare transaction 'forgotten'");
    const long = await connect();
    await long.query('begin; select pg_current_xact_id()');
    let { cursor } = await source.read(newMember(), undefined);
    for (let round = 0; round < 5; round++) {
      const written = [await end(), await end()];
      const page = await source.read(newMember(), cursor);
      assert.deepEqual(keys(page), written);
      cursor = page.cursor;
    }
    await long.query('rollback');
    await forgotten.query("rollback prepared 'forgotten'");
    assert.deepEqual(keys(await source.read(newMember(), cursor)), []);
  });

  /** Returns whether the crash let a transaction id be used again. */
  const crash = async (t: nodeTest.TestContext): Promise<boolean> => {
    const { source, end, connect, database } = await start(t);
    const member = newMember();
    await source.register(member, 1000);
    await end();
    const client = await connect();
    const ids: bigint[] = [];
    for (let index = 0; index < 5; index++) {
      await client.query('begin');
      const { rows } = await client.query('select pg_current_xact_id()::text as xid');
      ids.push(BigInt(rows[0].xid));
      await client.query('rollback');
    }
    const before = await source.read(member, undefined);
    await (await server()).crashBackgroundProcess();
    const again = await openEngine(database);
    t.after(() => again.close());
    const { id: tenantId } = await again.tenants.ensure({ name: 'default', nowMs: 1000, by });
    const recorded = await again.sessions.end({ tenantId, sessionId: randomUUIDv7() as SessionId, nowMs: 1000, by });
    if (BigInt(recorded.position.split(' ')[1] ?? 0) > (ids.at(-1) ?? 0n)) return false;
    assert.equal(again.members.covers(before.applied, recorded.position), true);
    // The lost connection tells: what was shown before the crash is never acknowledged after it.
    await source.acknowledge(member, before.applied);
    assert.equal((await again.members.list())[0]?.applied, null);
    const page = await source.read(member, before.cursor);
    assert.deepEqual(page.entries.map(unplaced), recorded.entries);
    assert.equal(page.identity, before.identity);
    await source.acknowledge(member, page.applied);
    assert.equal(again.members.covers((await again.members.list())[0]?.applied ?? '', recorded.position), true);
    return true;
  };

  test('a crash that lets transaction ids be used again hides nothing', async (t) => {
    // The server may have flushed in between all the same.
    for (let attempt = 0; attempt < 4; attempt++) if (await crash(t)) return;
    assert.fail('no crash let an id be used again: nothing was tested');
  });

  test('a kind that this version does not know is passed on', async (t) => {
    const { source, database } = await start(t);
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('alter table journal drop constraint journal_kind_check');
    await client.query("insert into journal (id, kind, key) values (gen_random_uuid(), 'new', 'k')");
    await client.end();
    const { entries } = await source.read(newMember(), undefined);
    assert.deepEqual(
      entries.map(({ kind, key, keepUntilMs }) => [kind, key, keepUntilMs]),
      [['new', 'k', null]],
    );
  });

  test('a longer lifetime waits for entries that were reckoned with the shorter one', async (t) => {
    const { engine, connect } = await start(t);
    const writer = await connect();
    await writer.query('begin');
    await writer.query("insert into journal (id, kind, key, keep_until) values (gen_random_uuid(), 'session', 'k', 9)");
    let isRaised = false;
    const raised = engine.journal.raiseTokenSecondsMax(900).then(() => {
      isRaised = true;
    });
    await delay(200);
    assert.equal(isRaised, false);
    await writer.query('commit');
    await raised;
  });

  test('a reader without an answer gives up after a second, and begins anew', async (t) => {
    const { engine, source } = await start(t);
    const { cursor } = await source.read(newMember(), undefined);
    const idle = engine.journal.openSource();
    await idle.read(newMember(), undefined);
    const postgres = await server();
    postgres.pause();
    const closed = idle.close();
    const startedMs = performance.now();
    await assert.rejects(source.read(newMember(), cursor), { code: 'store_unavailable' });
    await closed;
    const tookMs = performance.now() - startedMs;
    postgres.resume();
    assert.ok(tookMs > 900 && tookMs < 2000, `gave up after ${tookMs} ms`);
    assert.deepEqual((await source.read(newMember(), cursor)).entries, []);
  });

  test('a reader that has more to catch up with than can be read in a second gets the time for it', async (t) => {
    const { source, end, connect } = await start(t);
    const member = newMember();
    await source.register(member, 1000);
    const { cursor } = await source.read(member, undefined);
    const key = await end();
    // A lock takes the time of a long answer.
    const other = await connect();
    await other.query('begin; lock table journal in access exclusive mode');
    const released = delay(2500).then(() => other.query('commit'));
    await assert.rejects(source.read(member, cursor), { code: 'store_unavailable' });
    assert.deepEqual(keys(await source.read(member, cursor)), [key]);
    await released;
  });

  test('a standby grants nothing, and after its promotion the history is another one', async (t) => {
    const { engine, source, database } = await start(t);
    const before = await source.read(newMember(), undefined);
    const postgres = await server();
    await postgres.stop();
    writeFileSync(join(postgres.dataDir, 'standby.signal'), '');
    await postgres.start();
    const standby = await source.read(newMember(), before.cursor);
    assert.equal(standby.isPrimary, false);
    const isConnected = async () =>
      (await postgres.sql("select 1 from pg_stat_activity where application_name = 'catalytic journal'")).length > 0;
    // Whatever led here may lead elsewhere by now: a connection that is kept stays with the standby for ever.
    await waitUntil('The reader', 'leave the standby', 2000, async () => !(await isConnected()));
    await assert.rejects(engine.members.list(), { code: 'store_unavailable' });
    await assert.rejects(engine.tenants.findByName('default'), { code: 'store_unavailable' });
    // What decides over revocations refuses a standby whose connection was accepted, as well.
    const lagging = new Transactions({ url: database.url, statementMs: 1000, mayLag: true }, 1, 0, () => {});
    const request = { history: before.identity, after: undefined, upTo: 1n, tenantId: null, rowsMax: 1 };
    await assert.rejects(postgresMembers(lagging).list(), { code: 'store_unavailable' });
    await assert.rejects(postgresGuards(lagging.run, lagging).page(request), { code: 'store_unavailable' });
    await lagging.close();
    await postgres.sql('select pg_promote()');
    const promoted = await source.read(newMember(), before.cursor);
    assert.deepEqual([promoted.isPrimary, promoted.isContinued], [true, false]);
    await source.renameHistory(promoted.identity);
    await source.renameHistory(promoted.identity);
    const named = await source.read(newMember(), before.cursor);
    assert.equal(named.isContinued, true);
    assert.notEqual(named.identity, before.identity);
    assert.equal((await source.read(newMember(), named.cursor)).identity, named.identity, 'it is named once');
    assert.equal((await engine.tenants.findByName('default'))?.name, 'default');
  });

  test('rows of another cluster, whose ids this one has not given out, hide nothing and are given new ids at the next start', async (t) => {
    const { source, end, connect, database } = await start(t);
    const restored = await end();
    const client = await connect();
    const foreign = '999999999999';
    await client.query(`update journal set xid = '${foreign}'`);
    const first = await source.read(newMember(), undefined);
    assert.deepEqual(keys(first), [restored]);
    const written = await end();
    const second = await source.read(newMember(), first.cursor);
    assert.equal(second.isContinued, true);
    assert.deepEqual(keys(second), [written, restored]);
    assert.equal(keys(await source.read(newMember(), second.cursor)).includes(written), false);
    const { rows } = await client.query(`select id from journal where key = '${restored}'`);
    const ahead = { m: foreign, id: rows[0].id, open: [] };
    assert.equal((await source.read(newMember(), ahead)).isContinued, false, 'a position that is still to come');

    const again = await openEngine(database);
    t.after(() => again.close());
    const third = await source.read(newMember(), second.cursor);
    assert.deepEqual([third.isContinued, keys(third)], [true, [restored]]);
    assert.deepEqual(keys(await source.read(newMember(), third.cursor)), []);
  });

  test('a commit that did not wait for the synchronous standby is not taken for durable', async (t) => {
    const { engine, source, end } = await start(t);
    const postgres = await server();
    const name = async (standby: string): Promise<void> => {
      await postgres.sql(`alter system set synchronous_standby_names = '${standby}'`);
      await postgres.sql('select pg_reload_conf()');
    };
    const cancel = async (): Promise<boolean> => {
      const waiting = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'";
      return (await postgres.sql(waiting)).length > 0;
    };
    /** Whether it had to wait, and so was cancelled. */
    const isDoubted = async (commit: Promise<unknown>): Promise<boolean> => {
      const outcome = commit.then(
        () => 'committed',
        () => 'doubted',
      );
      await waitUntil('The commit', 'wait or end', 5000, async () => {
        const ended = await Promise.race([outcome, delay(20, 'under way')]);
        return ended !== 'under way' || cancel();
      });
      return (await outcome) === 'doubted';
    };
    const member = newMember();
    await source.register(member, 1000);
    await addGuardKey(engine, 'key');
    const guard = { id: newMember(), key: guardKeyIdOf('key'), name: 'api', kinds: 'session', leaseMs: 5000 };
    await name('absent');
    t.after(() => name(''));
    await waitUntil('The server', 'wait for its standby', 5000, () => isDoubted(end()));
    assert.equal(await isDoubted(engine.journal.raiseTokenSecondsMax(7000)), true);
    assert.equal(await isDoubted(source.register(newMember(), 1000)), true);
    const registering = engine.guards.register({ ...guard, perKeyMax: 1, allMax: 1, nowMs: 1000 });
    assert.equal(await isDoubted(registering), true);
    const { identity, entries } = await source.read(member, undefined);
    assert.equal(
      await isDoubted(source.restore(entries.map((entry) => ({ ...unplaced(entry), id: randomUUIDv7() as never })))),
      true,
    );
    assert.equal(await isDoubted(source.renameHistory(identity)), true);
    await name('');
    await waitUntil('The server', 'commit alone again', 5000, async () => !(await isDoubted(end())));
  });

  test('visibility is judged as the server judges it', async (t) => {
    const { connect } = await start(t);
    const client = await connect();
    for (const snapshot of ['10:10:', '10:20:10,14,19', '4294967290:4294967310:4294967295', '10:12:10'])
      for (const xid of [9, 10, 11, 12, 14, 15, 19, 20, 4294967289, 4294967295, 4294967296, 4294967310]) {
        const { rows } = await client.query(
          'select pg_visible_in_snapshot($1::text::xid8, $2::text::pg_snapshot) as v',
          [String(xid), snapshot],
        );
        assert.equal(isVisible(snapshot, String(xid)), rows[0].v, `${xid} in ${snapshot}`);
      }
  });
});
