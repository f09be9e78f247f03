/** The deployment in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { DeploymentStore } from '../../features/deployment/store.ts';
import { lockDataFolder } from './database.ts';
import { readRow } from './unavailable.ts';
import type { Writer } from './writer.ts';

/**
 * @param dataDir the data folder: a server process holds its lock
 * @param reader connection for reading
 */
export const sqliteDeployment = (dataDir: string, reader: DatabaseSync, writer: Writer): DeploymentStore => ({
  generation: async () =>
    readRow<{ generation: number }>(reader.prepare('select generation from deployment'))?.generation ?? 0,
  scope: async () =>
    readRow<{ scope: string }>(reader.prepare('select cast(generation as text) as scope from deployment'))?.scope ?? '',
  isServed: async () => {
    const lock = lockDataFolder(dataDir);
    lock?.close();
    return lock === undefined;
  },
  beginNewHistory: writer.of('deployment')('beginNewHistory'),
  purgeAudit: writer.of('deployment')('purgeAudit'),
});
