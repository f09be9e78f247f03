/**
 * Copies the database as of one moment, while a service continues to write to it.
 * @module
 */
import { backup, DatabaseSync } from 'node:sqlite';
import { databasePath } from './database.ts';
import { explain, isFull } from './explain.ts';

/** Pages in one step, 4 MiB. Progress is reported between two steps. */
const pagesPerStep = 1024;
const busyTimeoutMs = 5000;

/** Called with the progress of the copy. */
export type OnCopied = (pagesCopied: number, pagesTotal: number) => void;

/**
 * Copies the database of a data folder to a new file, without a write-ahead log.
 *
 * A read transaction holds the moment. Without it SQLite restarts the copy after each write between
 * two steps, and under load never ends. Writers do not wait for the copy; the write-ahead log grows
 * until it is done.
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
