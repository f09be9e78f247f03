import assert from 'node:assert/strict';
import { randomUUIDv7 } from 'node:crypto';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyId, MemberId, SessionId } from '@catalytic/protocol/ids';
import { Client } from 'pg';
import { query } from '../../../../../tests/harness/postgres/query.ts';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { by, seedAccount } from '../../features/engine.contract.ts';
import { countUnended } from '../session-sql.ts';
import { Connector } from './connection.ts';
import { migrate } from './migrate.ts';
import { statement, Transactions } from './transactions.ts';

const { suite, test } = nodeTest;

const keyOf = (kid: string) => ({
  ...{ kid: kid as KeyId, algorithm: 'ES256' as const, publicJwk: `{"kid":"${kid}"}`, privateBox: Buffer.from(kid) },
  ...{ createdAtMs: 1000, activatesAtMs: 1000, retiresAtMs: null },
});

suite('PostgreSQL: the engine', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  const connect = async (t: nodeTest.TestContext, url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    t.after(() => client.end());
    return client;
  };

  const transactions = (t: nodeTest.TestContext, url: string, statementMs = 5000): Transactions => {
    const opened = new Transactions({ url, statementMs }, 1, 1, () => {});
    t.after(() => opened.close());
    return opened;
  };

  test('of processes that migrate one database at once each migration is applied by one, and all go on', async (t) => {
    const { url } = await createDatabase(await server());
    const clients = await Promise.all(Array.from({ length: 4 }, () => connect(t, url)));
    const applied = await Promise.all(clients.map((client) => migrate(client)));
    const names = applied.flat();
    assert.ok(names.length > 0 && new Set(names).size === names.length, names.join(' | '));
  });

  test('a database of a newer version is refused', async (t) => {
    const { url } = await createDatabase(await server());
    const client = await connect(t, url);
    await migrate(client);
    await client.query("insert into migration values (9999, 'from the future', 0)");
    await assert.rejects(migrate(client), /start the newer version/);
  });

  test('a query that forgets the tenant finds nothing of others, and writes nothing into others', async (t) => {
    const database = await createDatabase(await server());
    const engine = await openEngine(database);
    t.after(() => engine.close());
    const { tenantId } = await seedAccount(engine);
    const other = await engine.tenants.ensure({ name: 'other', nowMs: 1000, by });
    const { run } = transactions(t, database.url);
    const count = statement('count', 'select count(*)::integer as rows from account');
    assert.deepEqual(await run(tenantId, count()), [{ rows: 1 }]);
    assert.deepEqual(await run(other.id, count()), [{ rows: 0 }]);
    const client = await connect(t, database.url);
    assert.equal((await client.query('select 1 from account')).rowCount, 0);
    const move = statement('move', 'update account set tenant_id = $1 where tenant_id = $2');
    await assert.rejects(run(tenantId, move(other.id, tenantId)), /row-level security/);
  });

  test('a statement that fails undoes its transaction, and the connection goes on', async (t) => {
    const database = await createDatabase(await server());
    await (await openEngine(database)).close();
    const { run } = transactions(t, database.url);
    const insert = statement('insert', "insert into tenant values (gen_random_uuid(), $1, 'active', 0, 0)");
    const divide = statement('divide', 'select 1 / $1::integer');
    await assert.rejects(run('*', insert('a'), divide(0), insert('b')), /division by zero/);
    // An error that only the commit brings.
    await run(
      '*',
      statement('ddl', 'alter table tenant add constraint one_epoch unique (epoch) deferrable initially deferred')(),
    );
    await run('*', insert('c'));
    await assert.rejects(run('*', insert('d')), /one_epoch/);
    assert.deepEqual(await run('*', statement('names', 'select name from tenant')()), [{ name: 'c' }]);
  });

  test('what was first sent behind a failure is prepared the next time', async (t) => {
    const { run } = transactions(t, (await createDatabase(await server())).url);
    const divide = statement('divide', 'select 1 / $1::integer as quotient');
    const behind = statement('behind', 'select 7 as seven');
    await assert.rejects(run('*', divide(0), behind()), /division by zero/);
    assert.deepEqual(await run('*', behind()), [{ seven: 7 }]);
    assert.deepEqual(await run('*', divide(1), behind()), [{ seven: 7 }]);
  });

  test('a repeated sign-out everywhere leaves alone who has signed in since', async (t) => {
    const engine = await openEngine(await createDatabase(await server()));
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const open = async (name: string) => {
      const refreshToken = { hash: Buffer.from(name), expiresAtMs: 100_000 };
      const { passwordHash } = account;
      const grant = await engine.sessions.open({
        ...{ tenantId, accountId, passwordHash, amr: [], nowMs: 1, refreshToken, sessionsMax: 10, by },
      });
      if (typeof grant === 'string') throw new Error(`Not opened: ${grant}`);
      return grant;
    };
    const before = await open('before');
    const { sessionId } = before;
    const endAll = () => engine.sessions.endAll({ tenantId, accountId, sessionId, nowMs: 2, by });
    await endAll();
    await open('since');
    await endAll();
    const { outcome } = await engine.sessions.rotate({
      presentedHash: Buffer.from('since'),
      successor: { hash: Buffer.from('next'), expiresAtMs: 100_000 },
      successorBox: Buffer.from('box'),
      nowMs: 3,
      graceMs: 10,
      by,
    });
    assert.equal(outcome, 'rotated');
  });

  test('sessions are counted in an index alone: a sign-in reads none of the others', async (t) => {
    const database = await createDatabase(await server());
    await (await openEngine(database)).close();
    const { run } = transactions(t, database.url);
    const id = 'gen_random_uuid()';
    const plan = await run<{ 'QUERY PLAN': string }>(
      '*',
      // In an empty table a scan is cheapest.
      statement('index', 'set local enable_seqscan = off')(),
      statement('bitmap', 'set local enable_bitmapscan = off')(),
      statement('explain', `explain ${countUnended(`(select ${id})`, `(select ${id})`, '10')}`)(),
    );
    assert.match(plan.map((row) => row['QUERY PLAN']).join('\n'), /Index Only Scan using session_by_owner/);
  });

  test('a connection whose answer did not come in time is never used again', async (t) => {
    const database = await createDatabase(await server());
    await (await openEngine(database)).close();
    const { run } = transactions(t, database.url, 300);
    const pid = statement('pid', 'select pg_backend_pid() as pid');
    const [before] = await run<{ pid: number }>('*', pid());
    const postgres = await server();
    postgres.pause();
    await assert.rejects(run('*', pid()), { code: 'store_unavailable' });
    postgres.resume();
    const [after] = await run<{ pid: number }>('*', pid());
    assert.notEqual(after?.pid, before?.pid);
  });

  test('a commit is durable whatever the role was set to', async (t) => {
    const database = await createDatabase(await server());
    const client = await connect(t, database.adminUrl);
    await client.query(`alter database ${new URL(database.url).pathname.slice(1)} set synchronous_commit = off`);
    const { run } = transactions(t, database.url);
    assert.deepEqual(await run('*', statement('show', "select current_setting('synchronous_commit') as is")()), [
      { is: 'on' },
    ]);
  });

  test('what the service relies on is kept whatever database and URL say, and the rest of the URL counts', async (t) => {
    const database = await createDatabase(await server());
    const client = await connect(t, database.adminUrl);
    const name = new URL(database.url).pathname.slice(1);
    await client.query(`alter database ${name} set default_transaction_isolation = 'serializable'`);
    const url = new URL(database.url);
    url.searchParams.set('options', '-c synchronous_commit=off -c search_path=elsewhere');
    url.searchParams.set('application_name', 'somebody');
    const ours = await new Connector({ url: url.href, statementMs: 5000 }).connect();
    t.after(() => ours.end());
    const names = ['synchronous_commit', 'default_transaction_isolation', 'application_name', 'search_path'];
    const { rows } = await ours.query('select current_setting(name) as is from unnest($1::text[]) as name', [names]);
    assert.deepEqual(
      rows.map(({ is }) => is),
      ['on', 'read committed', 'catalytic', 'elsewhere'],
    );
  });

  /** An engine with one account, signed in. */
  const openSession = async (t: nodeTest.TestContext, nowMs = Date.now()) => {
    const engine = await openEngine(await createDatabase(await server()));
    t.after(() => engine.close());
    const { tenantId, accountId, account } = await seedAccount(engine);
    const expiresAtMs = nowMs + 7_200_000;
    const signIn = (atMs: number, token: string) =>
      engine.sessions.open({
        ...{ tenantId, accountId, passwordHash: account.passwordHash, amr: [], nowMs: atMs, sessionsMax: 10, by },
        refreshToken: { hash: Buffer.from(token), expiresAtMs },
      });
    const refresh = (presented: string, successor: string, atMs: number) =>
      engine.sessions.rotate({
        ...{ presentedHash: Buffer.from(presented), successorBox: Buffer.from('box'), nowMs: atMs, graceMs: 10_000 },
        ...{ successor: { hash: Buffer.from(successor), expiresAtMs }, by },
      });
    const grant = await signIn(nowMs, 'r0');
    if (typeof grant === 'string') throw new Error(`Not opened: ${grant}`);
    return { engine, tenantId, accountId, account, grant, signIn, refresh };
  };

  test('a clock that is more than a minute ahead of the database dates no token, and changes nothing', async (t) => {
    const { engine, tenantId, accountId, account, grant, signIn, refresh } = await openSession(t);
    const wrongMs = Date.now() + 75_000;
    const wrong = { code: 'clock_wrong' };
    await assert.rejects(signIn(wrongMs, 'r1'), wrong);
    await assert.rejects(refresh('r0', 'r2', wrongMs), wrong);
    const change = engine.sessions.changePassword({
      ...{ tenantId, accountId, sessionId: grant.sessionId, from: account.passwordHash, to: 'new', amr: [] },
      ...{ nowMs: wrongMs, refreshToken: { hash: Buffer.from('r3'), expiresAtMs: wrongMs + 1000 }, by },
    });
    await assert.rejects(change, wrong);
    assert.equal((await engine.accounts.findWithPassword(tenantId, accountId))?.passwordHash, account.passwordHash);
    const page = { tenantId, accountId, before: undefined, rowsMax: 10, nowMs: Date.now() };
    const live = await engine.sessions.list(page);
    assert.deepEqual(
      live.map(({ id }) => id),
      [grant.sessionId],
    );
    assert.equal((await refresh('r0', 'r4', Date.now())).outcome, 'rotated', 'it was not used up');
    // A replay is judged by the clock, too: this one would be theft.
    await assert.rejects(refresh('r0', 'r5', wrongMs), wrong);
    assert.equal((await refresh('r0', 'r6', Date.now())).outcome, 'replayed');
  });

  test('a clock that is far ahead of the database deletes nothing', async (t) => {
    const { engine, tenantId, refresh } = await openSession(t);
    await refresh('r0', 'r1', Date.now());
    for (let index = 0; index < 3; index++)
      await engine.sessions.end({ tenantId, sessionId: randomUUIDv7() as SessionId, nowMs: Date.now(), by });
    const wrongMs = Date.now() + 400 * 86_400_000;
    const purge = { nowMs: wrongMs, sinceMs: 60_000, rowsMax: 10 };
    await engine.sessions.forgetSuccessors({ nowMs: wrongMs, sinceMs: 60_000 });
    assert.equal((await refresh('r0', 'r2', Date.now())).outcome, 'replayed');
    assert.equal(await engine.journal.purge(purge), 0);
    assert.equal(await engine.sessions.purge(purge), 0);
    // Two rows of the suite are from long ago.
    assert.equal(await engine.deployment.purgeAudit(purge), 2);
  });

  test('two databases of one server do not share a bus, nor do two generations of one', async (t) => {
    const engines = await Promise.all([0, 1].map(async () => openEngine(await createDatabase(await server()))));
    for (const engine of engines) t.after(() => engine.close());
    const scopes = await Promise.all(engines.map(({ deployment }) => deployment.scope()));
    assert.notEqual(scopes[0], scopes[1]);
    assert.equal(await engines[0]?.deployment.scope(), scopes[0]);
    await engines[0]?.deployment.beginNewHistory({ key: keyOf('k'), nowMs: 1000, by });
    assert.notEqual(await engines[0]?.deployment.scope(), scopes[0]);
  });

  test('a database that a process serves begins no new history, whatever that process is called', async (t) => {
    const database = await createDatabase(await server());
    const engine = await openEngine(database);
    t.after(() => engine.close());
    const source = engine.journal.openSource();
    await source.read(randomUUIDv7() as MemberId, undefined);
    assert.equal(await engine.deployment.isServed(), true);
    await assert.rejects(engine.deployment.beginNewHistory({ key: keyOf('k'), nowMs: 1000, by }), ({ cause }: Error) =>
      /uses the database/.test(String(cause)),
    );
    await source.close();
    assert.equal(await engine.deployment.isServed(), false);
    await engine.deployment.beginNewHistory({ key: keyOf('k'), nowMs: 1000, by });
  });

  test('the breaker opens when the database is away, refuses at once, and closes when it is back', async (t) => {
    const problems: string[] = [];
    const postgres = await server();
    const database = await createDatabase(postgres);
    const engine = await openEngine(database, { onProblem: (message) => problems.push(message) });
    t.after(() => engine.close());
    await postgres.stop();
    for (let index = 0; index < 5; index++)
      await assert.rejects(engine.tenants.findByName('default'), { code: 'store_unavailable' });
    const startedMs = performance.now();
    await assert.rejects(engine.tenants.findByName('default'), /does not answer/);
    assert.ok(performance.now() - startedMs < 20);
    // What waits for members asks all the same.
    await assert.rejects(engine.members.list(), { code: 'store_unavailable' });
    await postgres.start();
    assert.deepEqual(await engine.members.list(), []);
    await delay(1100);
    assert.equal(await engine.tenants.findByName('default'), undefined);
    assert.equal(await engine.tenants.findByName('default'), undefined);
    assert.deepEqual(
      problems.filter((message) => !message.includes('idle')),
      ['PostgreSQL does not answer: requests that need it are refused at once', 'PostgreSQL answers again'],
    );
  });

  test('a refusal or a wrong statement is an answer: the breaker stays closed', async (t) => {
    const engine = await openEngine(await createDatabase(await server()));
    t.after(() => engine.close());
    for (let index = 0; index < 10; index++)
      await assert.rejects(
        engine.accounts.create({ tenantId: 'no uuid' as never, account: {} as never, nowMs: 1, by }),
        { name: 'error' },
      );
    assert.equal(await engine.tenants.findByName('default'), undefined);
  });

  test('a pool beyond what the server allows is cut down and said so; so is a role above the policies', async () => {
    const problems: string[] = [];
    const { adminUrl } = await createDatabase(await server());
    const engine = await openEngine(
      { url: adminUrl, adminUrl },
      { poolSize: 200, overflow: 100, workers: 2, onProblem: (message) => problems.push(message) },
    );
    await engine.close();
    assert.match(problems[0] ?? '', /bypasses row-level security/);
    // 120 less 3 that are reserved and 5 that stay free, for two processes.
    assert.match(
      problems[1] ?? '',
      /allows 117 connections.*2 × \(55 kept \+ 0 under load \+ 1 for the journal\) = 112/,
    );
    assert.match(problems[1] ?? '', /max_connections = 210/);
  });

  test('a limit of the database or of the role counts like one of the server', async () => {
    const database = await createDatabase(await server());
    const name = new URL(database.url).pathname.slice(1);
    await query(database.adminUrl, `alter database ${name} connection limit 29`);
    const told: string[] = [];
    const options = { poolSize: 4, overflow: 50, machines: 2, onBudget: (text: string) => void told.push(text) };
    await (await openEngine(database, options)).close();
    assert.match(told[0] ?? '', /allows 29 connections.*1 × \(4 kept \+ 7 under load \+ 1 for the journal\) = 12/);
  });

  test('in a shared database the tables lie in the schema of the role', async (t) => {
    const database = await createDatabase(await server());
    const name = new URL(database.url).pathname.slice(1);
    await query(database.adminUrl, 'create schema own authorization catalytic');
    await query(database.adminUrl, `alter role catalytic in database ${name} set search_path = own`);
    const engine = await openEngine(database);
    t.after(() => engine.close());
    assert.notEqual((await engine.tenants.ensure({ name: 'first', nowMs: 1, by })).id, undefined);
    assert.deepEqual(
      await query(
        database.adminUrl,
        `select distinct n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace
          where c.relowner = 'catalytic'::regrole and n.nspname !~ '^pg_'`,
      ),
      [['own']],
    );
  });

  test('a database of another encoding is refused, with what to do', async () => {
    const postgres = await server();
    for (const encoding of ['SQL_ASCII', 'LATIN1']) {
      const { url, adminUrl } = await createDatabase(
        postgres,
        `encoding '${encoding}' lc_collate 'C' lc_ctype 'C' template template0`,
      );
      await assert.rejects(
        openEngine({ url, adminUrl }),
        new RegExp(`its encoding is ${encoding}.*TEMPLATE template0`),
      );
    }
  });
});
