/**
 * Bringing the schema up to date.
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from 'pg';

const migrationsFolder = fileURLToPath(new URL('../../../migrations/postgres', import.meta.url));

/** Any number, the same in every version: whoever holds this advisory lock of the database migrates it. */
const migrationLock = 7_240_118_553;

const listMigrations = (): readonly { readonly number: number; readonly name: string }[] =>
  readdirSync(migrationsFolder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ number: Number.parseInt(name, 10), name }));

/**
 * Applies what is missing, each migration in one transaction with its row in the ledger. Of processes that start together one applies,
 * the others wait.
 * @param client a connection without a statement deadline
 * @returns the names of the migrations this call applied
 * @throws when the database was written by a newer version
 */
export const migrate = async (client: Client): Promise<readonly string[]> => {
  const migrations = listMigrations();
  await client.query(`select pg_advisory_lock(${migrationLock})`);
  try {
    await client.query(
      'create table if not exists migration (number integer primary key, name text not null, applied_at bigint not null)',
    );
    const ledger = await client.query<{ number: number }>('select number from migration order by number');
    const known = new Set(ledger.rows.map(({ number }) => number));
    const newest = ledger.rows.at(-1)?.number ?? 0;
    const last = migrations.at(-1)?.number ?? 0;
    if (newest > last)
      throw new Error(
        `Cannot use this database: it has migration ${newest}, this version knows ${last}; start the newer version`,
      );
    const missing = migrations.filter(({ number }) => !known.has(number));
    for (const { number, name } of missing) {
      await client.query('begin');
      await client.query('insert into migration values ($1, $2, $3)', [number, name, Date.now()]);
      await client.query(readFileSync(join(migrationsFolder, name), 'utf8'));
      await client.query('commit');
    }
    return missing.map(({ name }) => name);
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    await client.query(`select pg_advisory_unlock(${migrationLock})`);
  }
};
