/**
 * The embedded engine: every port over one SQLite file.
 * @module
 */
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Stores } from '../stores.ts';
import { sqliteAccounts } from './accounts.ts';
import { sqliteAdminKeys } from './admin-keys.ts';
import { sqliteAudit } from './audit.ts';
import { databasePath, migrate, movedPath, openDatabase, walBytes } from './database.ts';
import { sqliteDeployment } from './deployment.ts';
import { explain } from './explain.ts';
import { sqliteGuardKeys } from './guard-keys.ts';
import { sqliteGuards } from './guards.ts';
import { sqliteJournal } from './journal.ts';
import { sqliteMembers } from './members.ts';
import { watchFile } from './same-file.ts';
import { sqliteSessions } from './sessions.ts';
import { sqliteSigningKeys } from './signing-keys.ts';
import { sqliteTenants } from './tenants.ts';
import { hasTrace } from './trace-of-service.ts';
import { Writer } from './writer.ts';

/** Whether the data folder has no database yet, or a file that nothing was written to. */
const isEmpty = (dataDir: string): boolean =>
  (statSync(databasePath(dataDir), { throwIfNoEntry: false })?.size ?? 0) === 0;

/**
 * Refuses to create an empty database if there must be an old one: the new one would know neither
 * accounts nor revocations.
 */
const assertNotLost = (dataDir: string): void => {
  const path = databasePath(dataDir);
  // A new database would be empty, and the old one lacks the revocations since the move.
  if (!existsSync(path) && existsSync(movedPath(dataDir)))
    throw new Error(
      'its database was moved to PostgreSQL; set DATABASE_URL to it (catalytic.db.moved is the old file: it does not know what was revoked since)',
    );
  if (isEmpty(dataDir) && hasTrace(dataDir))
    throw new Error(
      `a service ran here before, and its database catalytic.db is ${existsSync(path) ? 'empty' : 'gone'}; run "catalytic restore BACKUP", or set DATABASE_URL if it is in PostgreSQL, or name an empty DATA_DIR to begin anew`,
    );
};

/**
 * Refuses a data folder in which no service has run. Touches nothing.
 * @throws Error that says what to do
 */
export const assertServed = (dataDir: string): void => {
  assertNotLost(dataDir);
  if (isEmpty(dataDir))
    throw new Error(
      `no service has run in ${resolve(dataDir)}; start one there first, or name its folder with --data-dir`,
    );
};

const openReader = (path: string): DatabaseSync => {
  try {
    const reader = openDatabase(path);
    migrate(reader);
    return reader;
  } catch (error) {
    throw new Error(explain(error), { cause: error });
  }
};

/**
 * Opens the database of a data folder and migrates its schema.
 * @param onWriterFailure called when writing has become impossible for good
 * @throws Error that says what to do, when the database is missing although there was one, or
 *   cannot be used
 */
export const openSqliteStores = (dataDir: string, onWriterFailure: (error: Error) => void): Stores => {
  assertNotLost(dataDir);
  const path = databasePath(dataDir);
  const reader = openReader(path);
  const writer = new Writer(path, onWriterFailure);
  return {
    tenants: sqliteTenants(reader, writer),
    accounts: sqliteAccounts(reader, writer),
    sessions: sqliteSessions(reader, writer),
    journal: sqliteJournal(() => openDatabase(path), writer, watchFile(path)),
    members: sqliteMembers(reader, writer),
    guards: sqliteGuards(reader, writer),
    signingKeys: sqliteSigningKeys(reader, writer),
    adminKeys: sqliteAdminKeys(reader, writer),
    guardKeys: sqliteGuardKeys(reader, writer),
    deployment: sqliteDeployment(dataDir, reader, writer),
    audit: sqliteAudit(reader, writer),
    probe: () => writer.probe(),
    connections: () => undefined,
    walBytes: () => walBytes(path),
    close: async () => {
      await writer.close();
      reader.close();
    },
  };
};
