/**
 * Migrates the schema.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';
import { type Ledger, missingFrom, readMigrations, tableFor } from '../migrations.ts';

const migrationsFolder = fileURLToPath(new URL('../../../migrations/postgres', import.meta.url));

/**
 * Any number, the same in every version. The process that holds this advisory lock of the database
 * migrates it.
 */
const migrationLock = 7_240_118_553;

/**
 * How long a migration waits for its locks, milliseconds. While it waits, all later statements on
 * the table wait behind it. A dump holds every table until it ends, so they would wait for the
 * whole dump.
 */
const lockMsMax = 200;
/** Pause before the next attempt, milliseconds. The service serves in the meantime. */
const lockPauseMs = 1000;
/** Most attempts: after ten minutes the migration fails with a message for the operator. */
const lockAttemptsMax = 500;
/** `lock_not_available` */
const lockTimeout = '55P03';

const readLedger = async (client: Client): Promise<Ledger> => {
  const numbers = async (table: keyof Ledger): Promise<readonly number[]> =>
    (await client.query<{ number: number }>(`select number from ${table}`)).rows.map(({ number }) => number);
  return { migration: await numbers('migration'), expansion: await numbers('expansion') };
};

/** SQL that creates the ledger if there is none: see `migrations.ts`. */
export const createLedger = `
  create table if not exists migration (number integer primary key, name text not null, applied_at bigint not null);
  create table if not exists expansion (number integer primary key, name text not null, applied_at bigint not null)`;

const requireExpansion =
  'with before as (delete from expansion returning *) insert into migration select * from before';

/** Runs one transaction, and tries again while other transactions hold the tables. */
const withLocks = async (client: Client, work: () => Promise<void>): Promise<void> => {
  for (let attempt = 1; ; attempt++)
    try {
      await client.query('begin');
      await client.query(`set local lock_timeout = ${lockMsMax}`);
      await work();
      await client.query('commit');
      return;
    } catch (error) {
      await client.query('rollback');
      if ((error as { code?: string }).code !== lockTimeout) throw error;
      if (attempt >= lockAttemptsMax)
        throw new Error('Cannot migrate the database: another session holds its tables, such as a dump; end it first', {
          cause: error,
        });
      await delay(lockPauseMs);
    }
};

/**
 * Applies missing migrations, each in one transaction with its row in the ledger. Of processes that
 * start together one applies them, and the others wait.
 * @param client a connection without a statement deadline
 * @returns the names of the migrations this call applied
 * @throws when the database was written by a newer version
 */
export const migrate = async (client: Client): Promise<readonly string[]> => {
  const migrations = readMigrations(migrationsFolder);
  await client.query(`select pg_advisory_lock(${migrationLock})`);
  try {
    await client.query(createLedger);
    const ledger = await readLedger(client);
    const missing = missingFrom(migrations, ledger);
    for (const migration of missing)
      await withLocks(client, async () => {
        // The first of them: from now on every version must know the migrations before it.
        if (migration === missing[0]) await client.query(requireExpansion);
        const values = [migration.number, migration.name, Date.now()];
        await client.query(`insert into ${tableFor(migration, ledger)} values ($1, $2, $3)`, values);
        await client.query(migration.sql);
      });
    return missing.map(({ name }) => name);
  } finally {
    await client.query(`select pg_advisory_unlock(${migrationLock})`);
  }
};
