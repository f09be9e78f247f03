/**
 * Checks whether the file that a connection has open is still the file with its name. A process
 * that continued to write to a deleted or replaced file would acknowledge changes that are lost.
 * @module
 */
import { type BigIntStats, statSync } from 'node:fs';

const identityOf = (path: string): string | undefined => {
  const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
};

/** The open database file is no longer the file with its name. */
export class LostFileError extends Error {
  override readonly name = 'LostFileError';
}

/**
 * Remembers the files of a database: the database file and its write-ahead log, which holds the
 * newest commits.
 * @param path of a database that is open in WAL mode
 * @returns throws {@link LostFileError} when either file has been replaced or deleted; costs two
 *   system calls
 */
export const watchFile = (path: string): (() => void) => {
  const parts = [path, `${path}-wal`].map((name) => ({ name, identity: identityOf(name) }));
  return () => {
    for (const part of parts) {
      const identity = identityOf(part.name);
      // The first write creates the log.
      part.identity ??= identity;
      if (part.identity === undefined || part.identity === identity) continue;
      throw new LostFileError(
        identity === undefined
          ? `${part.name} was deleted or moved away while the service runs: move it back, and the service goes on by itself; if it is gone, process ${process.pid} is the last to hold it: copy it from /proc/${process.pid}/fd before you end that process, then restore a backup`
          : `${part.name} was replaced while the service runs: stop the service; if a backup was put there, run "catalytic restore BACKUP" instead, or "catalytic after-restore" before the next start`,
      );
    }
  };
};
