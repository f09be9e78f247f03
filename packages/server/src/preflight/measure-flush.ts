/**
 * Measures how long the disk takes to flush a write: every commit waits for it.
 * @module
 */
import { closeSync, existsSync, fsyncSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** Flushes that are timed. */
const flushes = 50;
/** The least that SQLite appends in a commit. */
const appendBytes = 4096;
/** Ends the measurement of a slow disk early. */
const msMax = 1500;

/** The measurement of a disk. */
export interface DiskMeasures {
  readonly flushMsMedian: number;
  readonly flushMsP99: number;
  readonly flushes: number;
}

/** The folder, or its nearest ancestor that exists. */
const nearest = (folder: string): string =>
  existsSync(folder) || dirname(folder) === folder ? folder : nearest(dirname(folder));

/** Free room on the disk of a folder for users other than root, bytes. */
export const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(nearest(resolve(folder)));
  return bavail * bsize;
};

/**
 * Appends 4 KiB to a temporary file beside the database and flushes it, up to 50 times; then
 * removes the file.
 * @throws when the folder takes no file
 */
export const measureFlush = (folder: string): DiskMeasures => {
  const place = mkdtempSync(join(nearest(resolve(folder)), 'doctor-'));
  try {
    const file = openSync(join(place, 'flush'), 'wx', 0o600);
    try {
      const block = Buffer.alloc(appendBytes, 1);
      const times: number[] = [];
      for (const endMs = performance.now() + msMax; times.length < flushes && performance.now() < endMs; ) {
        const startMs = performance.now();
        writeSync(file, block);
        fsyncSync(file);
        times.push(performance.now() - startMs);
      }
      times.sort((one, other) => one - other);
      const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
      return { flushMsMedian: at(0.5), flushMsP99: at(0.99), flushes: times.length };
    } finally {
      closeSync(file);
    }
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
};
