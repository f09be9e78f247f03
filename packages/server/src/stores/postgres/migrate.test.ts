import assert from 'node:assert/strict';
import * as nodeTest from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { needsPostgres } from '../../../../../tests/harness/postgres.ts';
import { createDatabase, openEngine, sharedServer } from '../../../../../tests/harness/postgres-engine.ts';
import { readMigrations } from '../migrations.ts';
import { createLedger, migrate } from './migrate.ts';

const { suite, test } = nodeTest;
const migrations = readMigrations(fileURLToPath(new URL('../../../migrations/postgres', import.meta.url)));
/** What the version before the newest migration knew. */
const before = migrations.slice(0, -1);
const newest = migrations.at(-1);

suite('PostgreSQL: upgrades', needsPostgres(), () => {
  const server = sharedServer(nodeTest);

  const connect = async (t: nodeTest.TestContext, url: string): Promise<Client> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    t.after(() => client.end());
    return client;
  };

  /** A database of the version before, which knew one list only. */
  const databaseBefore = async (t: nodeTest.TestContext) => {
    const { url } = await createDatabase(await server());
    const client = await connect(t, url);
    await client.query(
      'create table migration (number integer primary key, name text not null, applied_at bigint not null)',
    );
    for (const { number, name, sql } of before) {
      await client.query(sql);
      await client.query('insert into migration values ($1, $2, 0)', [number, name]);
    }
    return { url, client };
  };

  test('the version before may be started on what this one has migrated, and not on what comes after that', async (t) => {
    assert.equal(newest?.isBreaking, false);
    const { client } = await databaseBefore(t);
    assert.deepEqual(await migrate(client), [newest.name]);
    const required = async (): Promise<unknown> =>
      (await client.query('select max(number) as newest from migration')).rows[0].newest;
    // All that the version before looks at.
    assert.equal(await required(), before.at(-1)?.number);
    assert.deepEqual(await migrate(client), []);
    await client.query(`insert into expansion values (9998, 'of the next version', 0)`);
    assert.deepEqual(await migrate(client), [], 'nor does this one mind what the next one has added');
  });

  test('what the version before that one did not have to know must be known from now on', async (t) => {
    const { client } = await databaseBefore(t);
    await client.query(createLedger);
    const last = before.at(-1)?.number;
    await client.query(
      `with last as (delete from migration where number = ${last} returning *) insert into expansion select * from last`,
    );
    await migrate(client);
    const { rows } = await client.query('select number from expansion');
    assert.deepEqual(rows, [{ number: newest?.number }]);
  });

  test('a migration that must wait for its locks lets everybody else through meanwhile', async (t) => {
    const { url, client } = await databaseBefore(t);
    const [dump, worker] = [await connect(t, url), await connect(t, url)];
    // The newest migration changes this table.
    await dump.query('begin; lock table journal in access share mode');
    await worker.query('set statement_timeout = 2000');
    let isDone = false;
    const migrating = migrate(client).then((names) => {
      isDone = true;
      return names;
    });
    const beganMs = performance.now();
    while (performance.now() - beganMs < 400) {
      await worker.query('select count(*) from journal');
      await delay(5);
    }
    assert.equal(isDone, false);
    await dump.query('commit');
    assert.deepEqual(await migrating, [newest?.name]);
  });

  test('the audit trail goes on behind rows that came without their sequence', async (t) => {
    const database = await createDatabase(await server());
    await (await openEngine(database)).close();
    const admin = await connect(t, database.adminUrl);
    await admin.query(
      `insert into audit (pos, at, event) overriding system value values (5000, 0, 'authn_login_success')`,
    );
    await (await openEngine(database)).close();
    const { rows } = await admin.query(`select nextval('audit_pos_seq')::integer as next`);
    assert.deepEqual(rows, [{ next: 5001 }]);
  });
});
