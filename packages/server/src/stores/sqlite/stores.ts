/**
 * The embedded engine: every port over one SQLite file.
 * @module
 */
import type { AccountStore } from '../../features/accounts/store.ts';
import type { AdminKeyStore } from '../../features/admin-keys/store.ts';
import type { JournalStore } from '../../features/revocation/store.ts';
import type { SessionStore } from '../../features/sessions/store.ts';
import type { SigningKeyStore } from '../../features/signing-keys/store.ts';
import type { TenantStore } from '../../features/tenants/store.ts';
import { sqliteAccounts } from './accounts.ts';
import { sqliteAdminKeys } from './admin-keys.ts';
import { databasePath, migrate, openDatabase } from './database.ts';
import { sqliteJournal } from './journal.ts';
import { sqliteSessions } from './sessions.ts';
import { sqliteSigningKeys } from './signing-keys.ts';
import { sqliteTenants } from './tenants.ts';
import { Writer } from './writer.ts';

/** All ports of one engine. */
export interface Stores {
  readonly tenants: TenantStore;
  readonly accounts: AccountStore;
  readonly sessions: SessionStore;
  readonly journal: JournalStore;
  readonly signingKeys: SigningKeyStore;
  readonly adminKeys: AdminKeyStore;
  /** Goes the way of a write without changing anything. */
  probe(): Promise<void>;
  /** Finishes what was sent and closes the file. */
  close(): Promise<void>;
}

/**
 * Opens the database of a data folder, bringing its schema up to date.
 * @param onWriterFailure called when writing has become impossible for good
 */
export const openSqliteStores = (dataDir: string, onWriterFailure: (error: Error) => void): Stores => {
  const path = databasePath(dataDir);
  const reader = openDatabase(path);
  migrate(reader);
  const writer = new Writer(path, onWriterFailure);
  return {
    tenants: sqliteTenants(reader, writer),
    accounts: sqliteAccounts(reader, writer),
    sessions: sqliteSessions(writer),
    journal: sqliteJournal(reader, writer),
    signingKeys: sqliteSigningKeys(reader, writer),
    adminKeys: sqliteAdminKeys(reader, writer),
    probe: () => writer.run('probe', undefined),
    close: async () => {
      await writer.close();
      reader.close();
    },
  };
};
