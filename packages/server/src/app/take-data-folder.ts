/**
 * The data folder belongs to one process.
 * @module
 */
import { makeDataFolder } from '../config/data-folder.ts';
import type { Config } from '../config/options.ts';
import { ConfigError } from '../config/read-config.ts';
import { lockDataFolder } from '../stores/sqlite/database.ts';
import { glanceAtDatabase } from '../stores/sqlite/examine-database.ts';
import { explain } from '../stores/sqlite/explain.ts';

/**
 * Takes the data folder for this process alone, where the profile says so, and checks the database
 * before anything touches it.
 * @returns releases the folder
 * @throws {ConfigError} when another process holds it, or the database is damaged
 */
export const takeDataFolder = ({ profile, dataDir }: Config): (() => void) => {
  if (!profile.ownsDataFolder) return () => {};
  makeDataFolder(dataDir);
  try {
    const lock = lockDataFolder(dataDir);
    if (lock === undefined)
      throw new ConfigError(
        `Cannot serve from ${dataDir}: another server process uses it; stop it, give another DATA_DIR, or set DATABASE_URL to a PostgreSQL server, which serves many`,
      );
    glanceAtDatabase(dataDir);
    return () => lock.close();
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`Cannot serve from ${dataDir}: ${explain(error)}`, { cause: error });
  }
};
