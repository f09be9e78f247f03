/**
 * Files that are on the disk when a call returns.
 * @module
 */
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';

/**
 * Writes a new file (mode 0600) and flushes it.
 * @throws when the file exists, or the disk does not take it
 */
export const writeFlushed = (path: string, text: string): void => {
  const file = openSync(path, 'wx', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};

/** Flushes a file, or the names in a folder: until then a power failure may undo a rename. */
export const flush = (path: string): void => {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
};
