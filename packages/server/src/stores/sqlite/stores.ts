/**
 * The embedded engine: every port over one SQLite file.
 * @module
 */
import { existsSync } from 'node:fs';
import type { Stores } from '../stores.ts';
import { sqliteAccounts } from './accounts.ts';
import { sqliteAdminKeys } from './admin-keys.ts';
import { databasePath, migrate, movedPath, openDatabase } from './database.ts';
import { sqliteDeployment } from './deployment.ts';
import { sqliteJournal } from './journal.ts';
import { sqliteMembers } from './members.ts';
import { sqliteSessions } from './sessions.ts';
import { sqliteSigningKeys } from './signing-keys.ts';
import { sqliteTenants } from './tenants.ts';
import { Writer } from './writer.ts';

/**
 * Opens the database of a data folder, bringing its schema up to date.
 * @param onWriterFailure called when writing has become impossible for good
 */
export const openSqliteStores = (dataDir: string, onWriterFailure: (error: Error) => void): Stores => {
  const path = databasePath(dataDir);
  // A new database here would be an empty one, and the old one does not know what was revoked since.
  if (!existsSync(path) && existsSync(movedPath(dataDir)))
    throw new Error(
      'its database was moved to PostgreSQL; set DATABASE_URL to it (catalytic.db.moved is the old file: it does not know what was revoked since)',
    );
  const reader = openDatabase(path);
  migrate(reader);
  const writer = new Writer(path, onWriterFailure);
  return {
    tenants: sqliteTenants(reader, writer),
    accounts: sqliteAccounts(reader, writer),
    sessions: sqliteSessions(reader, writer),
    journal: sqliteJournal(() => openDatabase(path), writer),
    members: sqliteMembers(reader, writer),
    signingKeys: sqliteSigningKeys(reader, writer),
    adminKeys: sqliteAdminKeys(reader, writer),
    deployment: sqliteDeployment(dataDir, reader, writer),
    probe: () => writer.run('probe', undefined),
    connections: () => undefined,
    close: async () => {
      await writer.close();
      reader.close();
    },
  };
};
