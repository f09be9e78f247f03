/**
 * The embedded database on its way out: read in one piece while nobody writes, then put aside.
 * @module
 */
import { existsSync, renameSync } from 'node:fs';
import type { SQLOutputValue } from 'node:sqlite';
import { databasePath, lockDataFolder, migrate, movedPath, openDatabase } from './database.ts';

/** Values of a row by column name. */
export type SourceRow = Readonly<Record<string, SQLOutputValue>>;

/** The database, held against every other process until it is closed. */
export interface MovingSource {
  count(table: string): number;
  /** All rows of a table, those with a position in its order. */
  rows(table: string, columns: readonly string[]): Iterable<SourceRow>;
  /** Renames the file, so that it is not served again by accident. */
  putAside(): void;
  /** Undoes {@link MovingSource.putAside}. */
  takeBack(): void;
  close(): void;
}

/**
 * Takes the database of a data folder for moving.
 * @throws when a server process uses the folder, or there is no database in it
 */
export const openMovingSource = (dataDir: string): MovingSource => {
  const path = databasePath(dataDir);
  // Asked first: opening would create a database, or a folder's lock.
  if (!existsSync(path)) throw new Error(`there is no database ${path}`);
  const lock = lockDataFolder(dataDir);
  if (lock === undefined) throw new Error('a server process uses it; stop it first');
  const database = openDatabase(path);
  const close = (): void => {
    // Closing the last connection brings everything from the write-ahead log into the file.
    database.close();
    lock.close();
  };
  try {
    migrate(database);
    database.exec('pragma wal_checkpoint(truncate)');
    // Another command beside this one must not write what would stay behind.
    database.exec('begin immediate');
  } catch (error) {
    close();
    throw error;
  }
  return {
    count: (table) => Number(database.prepare(`select count(*) as rows from ${table}`).get()?.['rows']),
    rows: (table, columns) => {
      const order = database.prepare(`select name from pragma_table_info('${table}') where name = 'pos'`).get();
      const sql = `select ${columns.join(', ')} from ${table}${order === undefined ? '' : ' order by pos'}`;
      return database.prepare(sql).iterate() as Iterable<SourceRow>;
    },
    putAside: () => renameSync(path, movedPath(dataDir)),
    takeBack: () => renameSync(movedPath(dataDir), path),
    close,
  };
};
