/**
 * The data folder.
 * @module
 */
import { accessSync, constants, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ConfigError } from './read-config.ts';

const ownRemedy =
  'give it to the user of the service ("chown", or "fsGroup" in Kubernetes), or set DATA_DIR to a folder of that user';

/** Remedies by the error of the system. */
const remedies: Readonly<Record<string, string>> = {
  EACCES: ownRemedy,
  EPERM: ownRemedy,
  EROFS: 'mount a volume there that can be written to, or set DATA_DIR to one',
  EEXIST: 'set DATA_DIR to a folder',
  ENOTDIR: 'set DATA_DIR to a folder',
  ENOENT: 'set DATA_DIR to a folder that exists, or can be made',
  ENOSPC: 'make room on its disk',
};

/**
 * The reason why a folder cannot be made. Node says ENOENT also where the folder above is on a
 * read-only file system.
 */
const reasonOf = (error: unknown, dataDir: string): NodeJS.ErrnoException => {
  const found = error as NodeJS.ErrnoException;
  if (found.code !== 'ENOENT') return found;
  let above = dirname(resolve(dataDir));
  while (!existsSync(above)) above = dirname(above);
  try {
    accessSync(above, constants.W_OK | constants.X_OK);
    return found;
  } catch (reason) {
    return reason as NodeJS.ErrnoException;
  }
};

/**
 * Makes the data folder, for this user only (mode 0700). A folder that exists keeps its owner and
 * its mode: it may be the mount point of a volume, which belongs to root. The files in it are made
 * with mode 0600 in either case.
 * @throws {ConfigError} when it cannot be made, or this process may not write to it
 */
export const makeDataFolder = (dataDir: string): void => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = '', message } = reasonOf(error, dataDir);
    const remedy = remedies[code];
    throw new ConfigError(
      `Cannot use the data folder ${dataDir}: ${message}${remedy === undefined ? '' : `; ${remedy}`}`,
      { cause: error },
    );
  }
};

/**
 * Whether an entry of a new volume was put there by its file system: `lost+found`, or a hidden name
 * like `.snapshot`.
 */
const isOfFileSystem = (name: string): boolean => name === 'lost+found' || name.startsWith('.');

/** Whether the data folder is empty, or still to be made. */
export const isNewDataFolder = (dataDir: string): boolean => {
  try {
    return readdirSync(dataDir).every(isOfFileSystem);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
};
