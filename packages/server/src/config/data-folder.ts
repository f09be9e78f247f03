/**
 * The data folder.
 * @module
 */
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { ConfigError } from './read-config.ts';

/**
 * Makes the data folder, readable by this user only: it holds the master key, and without
 * PostgreSQL everything else.
 * @throws {ConfigError} when it cannot be made
 */
export const makeDataFolder = (dataDir: string): void => {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    chmodSync(dataDir, 0o700);
  } catch (error) {
    throw new ConfigError(`Cannot use the data folder ${dataDir}: ${(error as Error).message}`, { cause: error });
  }
};

/** Whether the data folder is empty, or still to be made. */
export const isNewDataFolder = (dataDir: string): boolean => {
  try {
    return readdirSync(dataDir).length === 0;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
};
