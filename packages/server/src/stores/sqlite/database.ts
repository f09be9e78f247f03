/**
 * Opening the database file: settings, migrations, the lock of the one server process.
 * @module
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { type Ledger, missingFrom, readMigrations, tableFor } from '../migrations.ts';
import { isBusy } from './explain.ts';

const migrationsFolder = fileURLToPath(new URL('../../../migrations/sqlite', import.meta.url));

/**
 * How long a statement waits for another process (the command line beside the server),
 * milliseconds.
 */
const busyTimeoutMs = 5000;

/**
 * Size to which the write-ahead log is cut down when it begins anew, bytes. A process that reads for
 * long lets the log grow, and without a limit the file would keep that size for ever. Ordinary load
 * stays far below it: a checkpoint is tried every 4 MiB.
 */
const walBytesMax = 64 * 1024 * 1024;

/** The database file of a data folder. */
export const databasePath = (dataDir: string): string => join(dataDir, 'catalytic.db');

/**
 * What the database file is called after `catalytic migrate` has moved its contents to PostgreSQL.
 */
export const movedPath = (dataDir: string): string => join(dataDir, 'catalytic.db.moved');

/**
 * Opens a connection. Full sync in WAL mode flushes every commit to disk before it returns, so
 * acknowledged commits survive `kill -9` and power loss
 * (https://sqlite.org/pragma.html#pragma_synchronous).
 */
export const openDatabase = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true });
  useWal(database);
  database.exec('pragma synchronous = full; pragma temp_store = memory; pragma secure_delete = fast');
  database.exec(`pragma journal_size_limit = ${walBytesMax}`);
  return database;
};

/** Size of the write-ahead log, bytes. */
export const walBytes = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;

/**
 * If two processes open a new file at once, one of them gets "locked" immediately: SQLite does not
 * wait while the mode changes.
 */
const useWal = (database: DatabaseSync): void => {
  for (const untilMs = performance.now() + busyTimeoutMs; ; Atomics.wait(pause, 0, 0, 10))
    try {
      database.exec('pragma journal_mode = wal');
      return;
    } catch (error) {
      if (performance.now() > untilMs || !String(error).includes('locked')) throw error;
    }
};

const pause = new Int32Array(new SharedArrayBuffer(4));

const readLedger = (database: DatabaseSync): Ledger => {
  const numbers = (table: keyof Ledger): readonly number[] =>
    (database.prepare(`select number from ${table}`).all() as { number: number }[]).map(({ number }) => number);
  return { migration: numbers('migration'), expansion: numbers('expansion') };
};

/** Number of the newest migration that this version knows. */
export const newestMigration = (): number => readMigrations(migrationsFolder).at(-1)?.number ?? 0;

/**
 * Migrates the schema in one immediate transaction. Of two processes that start together one
 * applies the missing migrations. The other waits and finds them applied.
 * @returns the names of the migrations this call applied
 * @throws when the database was written by a newer version
 */
export const migrate = (database: DatabaseSync): readonly string[] => {
  const migrations = readMigrations(migrationsFolder);
  for (const table of ['migration', 'expansion'] satisfies (keyof Ledger)[])
    database.exec(
      `create table if not exists ${table} (number integer primary key, name text not null, applied_at integer not null) strict`,
    );
  if (missingFrom(migrations, readLedger(database)).length === 0) return [];
  database.exec('begin immediate');
  try {
    const ledger = readLedger(database);
    const missing = missingFrom(migrations, ledger);
    // From now on every version must know the migrations before these: see `migrations.ts`.
    if (missing.length > 0) database.exec('insert into migration select * from expansion; delete from expansion');
    for (const migration of missing) {
      const enter = database.prepare(`insert into ${tableFor(migration, ledger)} values (?, ?, ?)`);
      enter.run(migration.number, migration.name, Date.now());
      database.exec(migration.sql);
    }
    database.exec('commit');
    return missing.map(({ name }) => name);
  } catch (error) {
    database.exec('rollback');
    throw error;
  }
};

/**
 * Locks the data folder for one server process until it ends, in any way. It is an exclusive lock
 * of SQLite, because the operating system releases that with the process.
 * @returns `undefined` when another process holds the lock; else the lock, which must be kept
 * @throws when the folder cannot be locked: it is missing, read-only or full
 */
export const lockDataFolder = (dataDir: string): DatabaseSync | undefined => {
  const lock = new DatabaseSync(join(dataDir, 'serve.lock'), { timeout: 0 });
  try {
    lock.exec('pragma locking_mode = exclusive; begin exclusive');
    return lock;
  } catch (error) {
    lock.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
};
