import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { MemberId } from '@catalytic/protocol/ids';
import { Client } from 'pg';
import { startStandby } from '../../../../../tests/harness/postgres/standby.ts';
import { needsPostgres, type Postgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { freePort } from '../../../../../tests/harness/service.ts';
import { tcpProxyIn } from '../../../../../tests/harness/tcp-proxy.ts';
import { Connector } from './connection.ts';
import { PostgresJournalSource } from './journal-source.ts';
import { statement, Transactions } from './transactions.ts';

const { suite, test } = nodeTest;
type Context = nodeTest.TestContext;

const pid = statement('pid', 'select pg_backend_pid() as pid');
const sleep = statement('sleep', 'select pg_sleep($1)');

suite('PostgreSQL: connections', needsPostgres(), () => {
  const server = sharedServer(nodeTest, { max_connections: 20, superuser_reserved_connections: 2 });

  const transactionsOn = (t: Context, url: string, statementMs: number, size: number): Transactions => {
    const opened = new Transactions({ url, statementMs }, size, 0, () => {});
    t.after(() => opened.close());
    return opened;
  };

  /** The same database, reached on another port. */
  const through = (url: string, port: number): string => {
    const moved = new URL(url);
    moved.port = String(port);
    return moved.href;
  };

  /** Opens that many connections, by work that outlasts their opening. */
  const fill = async (transactions: Transactions, count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => transactions.run('*', sleep(1.5))));
    assert.equal(transactions.connections.idle, count);
  };

  test('one silent connection condemns those that are older: the next transaction has a new one', async (t) => {
    const { url } = await createDatabase(await server());
    const proxy = await tcpProxyIn(t, (await server()).port);
    const transactions = transactionsOn(t, through(url, proxy.port), 3000, 12);
    await fill(transactions, 12);
    proxy.silence();
    await assert.rejects(transactions.run('*', pid()), { code: 'store_unavailable' });
    const startedMs = performance.now();
    for (let index = 0; index < 12; index++) await transactions.run('*', pid());
    assert.ok(performance.now() - startedMs < 2500, 'none of them has waited for a silent connection');
  });

  test('what the reader of the journal finds out condemns them before a request does', async (t) => {
    const database = await createDatabase(await server());
    const { url } = database;
    // Gives the database its tables.
    await (await openEngine(database)).close();
    const proxy = await tcpProxyIn(t, (await server()).port);
    const transactions = transactionsOn(t, through(url, proxy.port), 20_000, 4);
    await fill(transactions, 4);
    const member = crypto.randomUUID() as MemberId;
    const source = new PostgresJournalSource(through(url, proxy.port), (sinceMs) =>
      transactions.condemnSilentSince(sinceMs),
    );
    t.after(() => source.close());
    const { cursor } = await source.read(member, undefined);
    proxy.silence();
    await assert.rejects(source.read(member, cursor), { code: 'store_unavailable' });
    assert.equal(transactions.connections.idle, 4, 'a silent reader alone proves nothing');
    await source.read(member, cursor);
    assert.equal(transactions.connections.idle, 0);
    const startedMs = performance.now();
    await transactions.run('*', pid());
    assert.ok(performance.now() - startedMs < 2000);
  });

  test('a connection that is heard after the silent one was asked stays', async (t) => {
    const { url } = await createDatabase(await server());
    const { run } = transactionsOn(t, url, 1000, 2);
    const [before] = await run<{ pid: number }>('*', pid());
    const slow = run('*', sleep(5)).catch(() => {});
    await delay(100);
    const [other] = await run<{ pid: number }>('*', pid());
    await slow;
    const [after] = await run<{ pid: number }>('*', pid());
    assert.equal(after?.pid, other?.pid);
    assert.notEqual(before?.pid, other?.pid);
  });

  /** Takes all connections of the server that a role may have. */
  const takeAll = async (t: Context, url: string): Promise<readonly Client[]> => {
    const taken: Client[] = [];
    for (;;) {
      const client = new Client({ connectionString: url });
      client.on('error', () => {});
      try {
        await client.connect();
      } catch (error) {
        assert.equal((error as { code?: string }).code, '53300');
        break;
      }
      taken.push(client);
      t.after(() => client.end().catch(() => {}));
    }
    return taken;
  };

  test('a server without a free place is waited for, and not for longer than a transaction may take', async (t) => {
    const { url } = await createDatabase(await server());
    const taken = await takeAll(t, url);
    const { run } = transactionsOn(t, url, 2000, 4);
    const asked = Array.from({ length: 50 }, () => run<{ pid: number }>('*', pid()));
    await delay(500);
    await Promise.all(taken.slice(0, 2).map((client) => client.end()));
    const answers = await Promise.all(asked);
    assert.ok(new Set(answers.map(([row]) => row?.pid)).size <= 2);

    // The pool may have needed only one of the two places.
    await takeAll(t, url);
    const [refused] = await Promise.allSettled([transactionsOn(t, url, 500, 4).run('*', sleep(0))]);
    assert.equal(refused?.status, 'rejected');
    // A pool that has connections goes on with them.
    await Promise.all(Array.from({ length: 50 }, () => run('*', pid())));
  });

  test('requests wait for the connection that is free first, not for one that is being opened', async (t) => {
    const { url } = await createDatabase(await server());
    const proxy = await tcpProxyIn(t, (await server()).port);
    const { run } = transactionsOn(t, through(url, proxy.port), 3000, 10);
    await run('*', pid());
    proxy.swallow();
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 20 }, () => run('*', sleep(0.01))));
    assert.ok(performance.now() - startedMs < 2500);
  });

  test('of several hosts the primary serves, wherever it is', async (t) => {
    const { url } = await createDatabase(await server());
    const standby = await followerOf(t, await server());
    const [{ port }, nobody] = [await server(), await freePort()];
    const hosts = `127.0.0.1:${nobody},127.0.0.1:${standby.port},127.0.0.1:${port}`;
    const several = url.replace(/127\.0\.0\.1:\d+/, hosts);
    const client = await new Connector({ url: several, statementMs: 5000 }).connect();
    t.after(() => client.end());
    assert.equal(client.port, port);
    const onlyStandby = url.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${standby.port},127.0.0.1:${nobody}`);
    await assert.rejects(new Connector({ url: onlyStandby, statementMs: 5000 }).connect());
    await standby.sql('select pg_promote()');
    const promoted = await new Connector({ url: onlyStandby, statementMs: 5000 }).connect();
    t.after(() => promoted.end());
    assert.equal(promoted.port, standby.port);
  });

  /** A standby of a running server, as of now. */
  const followerOf = async (t: Context, primary: Postgres): Promise<Postgres> => {
    const standby = await startStandby(primary, { max_connections: 20 });
    t.after(() => standby.close());
    return standby;
  };

  test('a start sends only parameters that every pooler takes', async (t) => {
    const { url } = await createDatabase(await server());
    const proxy = await tcpProxyIn(t, (await server()).port);
    const client = await new Connector({ url: through(url, proxy.port), statementMs: 5000 }).connect();
    t.after(() => client.end());
    // Length, version, then names and values, each with a NUL behind it (PostgreSQL, section 55.7).
    const words = proxy.openings[0]?.subarray(8).toString().split('\0') ?? [];
    const names = words.filter((_, index) => index % 2 === 0 && words[index] !== '');
    assert.deepEqual(names.sort(), ['application_name', 'client_encoding', 'database', 'user']);
  });
});
