/**
 * A database that was prepared elsewhere takes the place of the one in a data folder.
 * @module
 */
import { copyFileSync, existsSync, linkSync, mkdirSync, renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { databasePath } from './database.ts';

/** Brings the write-ahead log into its file and removes it. A damaged database keeps it: somebody may want to look at both. */
const foldLog = (path: string): void => {
  try {
    const database = new DatabaseSync(path);
    try {
      database.exec('pragma wal_checkpoint(truncate); pragma journal_mode = delete');
    } finally {
      database.close();
    }
  } catch {
    // What is left of the log is put aside with its file.
  }
};

/** Gives a file a second name, so that the first one never stands for nothing. */
const keepAlso = (path: string, folder: string): void => {
  const kept = join(folder, basename(path));
  try {
    linkSync(path, kept);
  } catch {
    // Some file systems have no links.
    copyFileSync(path, kept);
  }
};

/**
 * Replaces files of a data folder by those of the same names in `staging`, on the same file system. Each name leads to the former file or to
 * the new one at any moment, whenever this is interrupted; an old write-ahead log never meets the new database, which it would spoil.
 * The caller holds the lock of the data folder.
 * @param names files to replace beside the database
 * @param aside folder for the former files; made when there are any
 * @returns whether there were any
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
  // The database last: what it is sealed under must be there when it is.
  for (const path of places) renameSync(join(staging, basename(path)), path);
  return former.length + logs.length > 0;
};
