/**
 * A copy of the database at one moment, while a service goes on writing to it.
 * @module
 */
import { backup, DatabaseSync } from 'node:sqlite';
import { databasePath } from './database.ts';
import { explain, isFull } from './explain.ts';

/** Pages in one step, 4 MiB: between two steps progress is told. */
const pagesPerStep = 1024;
const busyTimeoutMs = 5000;

/** Told how much of the database has been copied. */
export type OnCopied = (pagesCopied: number, pagesTotal: number) => void;

/**
 * Copies the database of a data folder to a new file, which is one file then, without a write-ahead log.
 *
 * A read transaction holds the moment still. Without it SQLite begins anew whenever somebody writes between two steps, and under load never
 * comes to an end. Writers do not wait for it; their log grows until the copy is done.
 * @throws Error that says what to do
 */
export const copyDatabase = async (dataDir: string, target: string, onCopied: OnCopied): Promise<void> => {
  try {
    const source = new DatabaseSync(databasePath(dataDir), { readOnly: true, timeout: busyTimeoutMs });
    try {
      source.exec('begin');
      // A transaction begins with its first read.
      source.prepare('select generation from deployment').get();
      await backup(source, target, {
        rate: pagesPerStep,
        progress: ({ totalPages, remainingPages }) => onCopied(totalPages - remainingPages, totalPages),
      });
    } finally {
      source.close();
    }
    const copy = new DatabaseSync(target);
    copy.exec('pragma journal_mode = delete');
    copy.close();
  } catch (error) {
    if (isFull(error)) throw new Error('the disk of the copy is full; name another one', { cause: error });
    throw new Error(explain(error), { cause: error });
  }
};
