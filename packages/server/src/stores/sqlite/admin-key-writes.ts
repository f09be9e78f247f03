/** Writing operations of admin keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AdminKey } from '../../features/admin-keys/store.ts';

/** Prepares the operations. */
export const adminKeyWrites = (database: DatabaseSync) => {
  const insert = database.prepare(
    'insert into admin_key (hash, tenant_id, scopes, description, created_at) values (?, ?, ?, ?, ?)',
  );
  return {
    addAdminKey: (input: { hash: Uint8Array; key: AdminKey; description: string; nowMs: number }): void => {
      insert.run(input.hash, input.key.tenantId, JSON.stringify(input.key.scopes), input.description, input.nowMs);
    },
  };
};
