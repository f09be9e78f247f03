/** Admin keys in PostgreSQL. @module */
import type { AdminKey, AdminKeyStore } from '../../features/admin-keys/store.ts';
import { type Run, statement } from './transactions.ts';

const insert = statement(
  'admin_key_insert',
  'insert into admin_key (hash, tenant_id, scopes, description, created_at) values ($1, $2, $3, $4, $5)',
);
const byHash = statement('admin_key_by_hash', 'select tenant_id, scopes from admin_key where hash = $1');

/** @param run sees all tenants: a key says itself whose it is */
export const postgresAdminKeys = (run: Run): AdminKeyStore => ({
  add: async (hash, { tenantId, scopes }, description, nowMs) => {
    await run('*', insert(hash, tenantId, scopes, description, nowMs));
  },
  findByHash: async (hash) => {
    const [row] = await run<{ tenant_id: AdminKey['tenantId']; scopes: AdminKey['scopes'] }>('*', byHash(hash));
    return row === undefined ? undefined : { tenantId: row.tenant_id, scopes: row.scopes };
  },
});
