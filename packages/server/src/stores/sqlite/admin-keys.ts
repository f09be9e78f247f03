/** Admin keys in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import { adminKeyId } from '../../features/admin-keys/rules.ts';
import type { AdminKeyStore, AdminScope } from '../../features/admin-keys/store.ts';
import { readRow } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteAdminKeys = (reader: DatabaseSync, writer: Writer): AdminKeyStore => {
  const byHash = reader.prepare('select tenant_id, scopes from admin_key where hash = ?');
  return {
    add: writer.of('adminKeys')('add'),
    findByHash: async (hash) => {
      const row = readRow<{ tenant_id: TenantId | null; scopes: string }>(byHash, hash);
      return row === undefined
        ? undefined
        : {
            id: adminKeyId(hash),
            tenantId: row.tenant_id,
            scopes: JSON.parse(row.scopes) as readonly AdminScope[],
          };
    },
  };
};
