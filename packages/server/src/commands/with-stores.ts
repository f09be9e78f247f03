/**
 * Opening the database for one command, beside a server that may be running.
 * @module
 */
import { openStores } from '../app.ts';
import type { Config } from '../config/options.ts';
import type { Stores } from '../stores/stores.ts';

/** Opens the stores of the data folder, runs the work, closes them. */
export const withStores = async <Result>(
  { dataDir }: Config,
  work: (stores: Stores) => Promise<Result>,
): Promise<Result> => {
  const stores = openStores(dataDir, (error) => {
    throw error;
  });
  try {
    return await work(stores);
  } finally {
    await stores.close();
  }
};
