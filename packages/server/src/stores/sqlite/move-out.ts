/**
 * Reads the embedded database for a move: as a whole while no process writes, then puts it aside.
 * @module
 */
import { existsSync, renameSync } from 'node:fs';
import type { SQLOutputValue } from 'node:sqlite';
import { databasePath, lockDataFolder, migrate, movedPath, openDatabase } from './database.ts';

/** Values of a row by column name. */
export type SourceRow = Readonly<Record<string, SQLOutputValue>>;

/** The database, locked against every other process until it is closed. */
export interface MovingSource {
  /** @param where a condition in SQL. @default all rows */
  count(table: string, where?: string): number;
  /** Rows of a table, in the order of their positions if they have one. */
  rows(table: string, columns: readonly string[], where?: string): Iterable<SourceRow>;
  /** Renames the file, so that no process serves it again by accident. */
  putAside(): void;
  /** Undoes {@link MovingSource.putAside}. */
  takeBack(): void;
  close(): void;
}

/**
 * Opens the database of a data folder for a move.
 * @throws when a server process uses the folder, or there is no database in it
 */
export const openMovingSource = (dataDir: string): MovingSource => {
  const path = databasePath(dataDir);
  // Checked first, because opening would create a database, or the lock of the folder.
  if (!existsSync(path)) throw new Error(`there is no database ${path}; name its folder with --data-dir`);
  const lock = lockDataFolder(dataDir);
  if (lock === undefined) throw new Error('a server process uses it; stop it first');
  const database = openDatabase(path);
  const close = (): void => {
    // Closing the last connection merges the write-ahead log into the file.
    database.close();
    lock.close();
  };
  try {
    migrate(database);
    database.exec('pragma wal_checkpoint(truncate)');
    // No other command may write rows that would not be moved.
    database.exec('begin immediate');
  } catch (error) {
    close();
    throw error;
  }
  return {
    count: (table, where = 'true') =>
      Number(database.prepare(`select count(*) as rows from ${table} where ${where}`).get()?.['rows']),
    rows: (table, columns, where = 'true') => {
      const order = database.prepare(`select name from pragma_table_info('${table}') where name = 'pos'`).get();
      const sql = `select ${columns.join(', ')} from ${table} where ${where}${order === undefined ? '' : ' order by pos'}`;
      return database.prepare(sql).iterate() as Iterable<SourceRow>;
    },
    putAside: () => renameSync(path, movedPath(dataDir)),
    takeBack: () => renameSync(movedPath(dataDir), path),
    close,
  };
};
