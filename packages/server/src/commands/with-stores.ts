/**
 * Opening the database for one command, beside a server that may be running.
 * @module
 */

import type { Config } from '../config/options.ts';
import { openStores } from '../deployment.ts';
import type { Stores } from '../stores/stores.ts';

/**
 * Opens the stores, runs the work, closes them.
 * @throws {ConfigError} when they cannot be opened, or no service has run in the data folder
 */
export const withStores = async <Result>(
  config: Config,
  work: (stores: Stores) => Promise<Result>,
): Promise<Result> => {
  const stores = await openStores(
    // One connection is enough for one command, and is among those that stay free for commands.
    { ...config, workers: 1, databasePoolSize: 1, databaseMaxOverflow: 0, databaseMachines: 1 },
    {
      onProblem: (message) => process.stderr.write(`catalytic: ${message}\n`),
      onFatal: (error) => {
        throw error;
      },
    },
  );
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
};
