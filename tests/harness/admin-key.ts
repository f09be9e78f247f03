/**
 * Admin keys for tests, entered past the service: making one on the command line costs a process.
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import { withDatabase } from './database.ts';

/** Enters a key into the SQLite database of a data folder. @param tenant name of the only tenant it may act on; absent: all */
export const addAdminKey = (dataDir: string, scopes: readonly string[], tenant?: string): string => {
  const key = `cak_${randomBytes(16).toString('base64url')}`;
  withDatabase(dataDir, (database) =>
    database
      .prepare(
        `insert into admin_key (hash, tenant_id, scopes, description, created_at)
         values (?, (select id from tenant where name = ?), ?, 'for a test', 0)`,
      )
      .run(createHash('sha256').update(key).digest(), tenant ?? null, JSON.stringify(scopes)),
  );
  return key;
};
