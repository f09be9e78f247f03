/** Admin keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AdminKeyStore, AdminScope, ListedAdminKey } from '../../features/admin-keys/store.ts';
import { idOfHash } from './admin-key-writes.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

type Row = Omit<ListedAdminKey, 'scopes'> & { readonly scopes: string };

const columns = `${idOfHash} as id, tenant_id as tenantId, scopes, description, created_at as createdAtMs,
  expires_at as expiresAtMs, last_used_at as lastUsedAtMs`;

const toKey = (row: Row): ListedAdminKey => ({ ...row, scopes: JSON.parse(row.scopes) as readonly AdminScope[] });

/** @param reader connection for reading */
export const sqliteAdminKeys = (reader: DatabaseSync, writer: Writer): AdminKeyStore => {
  const write = writer.of('adminKeys');
  const byHash = reader.prepare(`select ${columns} from admin_key where hash = ?`);
  const page = reader.prepare(
    `select ${columns} from admin_key
      where (:tenant is null or tenant_id = :tenant) and ${idOfHash} > :after order by hash limit :rowsMax`,
  );
  return {
    add: write('add'),
    revoke: write('revoke'),
    noteUse: write('noteUse'),
    findByHash: async (hash) => {
      const row = readRow<Row>(byHash, hash);
      return row === undefined ? undefined : toKey(row);
    },
    list: async ({ tenantId, after = '', rowsMax }) =>
      readRows<Row>(page, { tenant: tenantId, after, rowsMax }).map(toKey),
  };
};
