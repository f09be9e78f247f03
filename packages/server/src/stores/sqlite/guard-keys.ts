/** Guard keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { GuardKeyStore, ListedGuardKey } from '../../features/guard-keys/store.ts';
import { idOfHash } from './admin-key-writes.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

const columns = `${idOfHash} as id, tenant_id as tenantId, guards_max as guardsMax, description,
  created_at as createdAtMs, expires_at as expiresAtMs, last_used_at as lastUsedAtMs`;

/** @param reader connection for reading */
export const sqliteGuardKeys = (reader: DatabaseSync, writer: Writer): GuardKeyStore => {
  const write = writer.of('guardKeys');
  const byHash = reader.prepare(`select ${columns} from guard_key where hash = ?`);
  const page = reader.prepare(
    `select ${columns} from guard_key
      where (:tenant is null or tenant_id = :tenant) and ${idOfHash} > :after order by hash limit :rowsMax`,
  );
  return {
    add: write('add'),
    revoke: write('revoke'),
    noteUse: write('noteUse'),
    findByHash: async (hash) => {
      const row = readRow<ListedGuardKey>(byHash, hash);
      return row === undefined ? undefined : { ...row };
    },
    list: async ({ tenantId, after = '', rowsMax }) =>
      readRows<ListedGuardKey>(page, { tenant: tenantId, after, rowsMax }).map((row) => ({ ...row })),
  };
};
