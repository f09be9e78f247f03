/** The deployment in SQLite. @module */
import type { DeploymentStore } from '../../features/deployment/store.ts';
import { lockDataFolder } from './database.ts';
import type { Writer } from './writer.ts';

/** @param dataDir the data folder: a server process holds its lock */
export const sqliteDeployment = (dataDir: string, writer: Writer): DeploymentStore => ({
  isServed: async () => {
    const lock = lockDataFolder(dataDir);
    lock?.close();
    return lock === undefined;
  },
  beginNewHistory: (key, nowMs) => writer.run('beginNewHistory', { key, nowMs }),
  purgeAudit: (beforeMs, rowsMax) => writer.run('purgeAudit', { beforeMs, rowsMax }),
});
