/**
 * Replaces the database in a data folder by a prepared one.
 * @module
 */
import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { databasePath } from './database.ts';

/**
 * Merges the write-ahead log into its file and removes it. A damaged database keeps its log for a
 * later inspection.
 */
const foldLog = (path: string): void => {
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec('pragma wal_checkpoint(truncate); pragma journal_mode = delete');
    } finally {
      database.close();
    }
  } catch {
    // A remaining log is put aside together with its file.
  }
};

/** Gives a file a second name, so that its first name always leads to a file. */
const keepAlso = (path: string, folder: string): void => {
  const kept = join(folder, basename(path));
  try {
    linkSync(path, kept);
  } catch {
    // Some file systems have no hard links.
    copyFileSync(path, kept);
  }
};

/**
 * Replaces files of a data folder by those of the same names in `staging`, on the same file system.
 * At any moment, even after an interruption, each name leads to the former file or to the new one.
 * An old write-ahead log never stands beside the new database, which it would corrupt. The caller
 * holds the lock of the data folder.
 * @param names files to replace besides the database
 * @param aside folder for the former files; created if there are any
 * @returns whether there were former files
 */
export const putInPlace = (staging: string, dataDir: string, names: readonly string[], aside: string): boolean => {
  const database = databasePath(dataDir);
  const places = [...names.map((name) => join(dataDir, name)), database];
  if (existsSync(database)) foldLog(database);
  const logs = ['-wal', '-shm'].map((suffix) => database + suffix).filter((path) => existsSync(path));
  const former = places.filter((path) => existsSync(path));
  if (former.length + logs.length > 0) {
    mkdirSync(aside, { mode: 0o700 });
    for (const path of former) keepAlso(path, aside);
    for (const path of logs) renameSync(path, join(aside, basename(path)));
  }
  // The database last: the master key that seals its keys must be there before it.
  for (const path of places) renameSync(join(staging, basename(path)), path);
  return former.length + logs.length > 0;
};
