/**
 * Whether the file that a connection has open is still the one that has its name. A process that writes on to a file that was deleted or
 * replaced would acknowledge what nobody will ever find again.
 * @module
 */
import { type BigIntStats, statSync } from 'node:fs';

const identityOf = (path: string): string | undefined => {
  const stats: BigIntStats | undefined = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.dev}:${stats.ino}`;
};

/** The database has lost its name. */
export class LostFileError extends Error {
  override readonly name = 'LostFileError';
}

/**
 * Remembers which files a database consists of now: it and its write-ahead log, where the newest commits are.
 * @param path of a database that is open in WAL mode
 * @returns throws {@link LostFileError} when either is not what it was; costs two system calls
 */
export const watchFile = (path: string): (() => void) => {
  const parts = [path, `${path}-wal`].map((name) => ({ name, identity: identityOf(name) }));
  return () => {
    for (const part of parts) {
      const identity = identityOf(part.name);
      // The log is made by the first write.
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
