/** Admin keys in PostgreSQL. @module */
import { adminKeyId } from '../../features/admin-keys/rules.ts';
import type { AdminKey, AdminKeyStore } from '../../features/admin-keys/store.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { type Run, statement } from './transactions.ts';

const insert = statement(
  'admin_key_insert',
  `with added as (
     insert into admin_key (hash, tenant_id, scopes, description, created_at)
     values ($1, $2::uuid, $3, $4, $5::bigint)
   ) ${appendAudit({ event: 'authn_token_created', reason: 'admin_key', at: '$5', tenant: '$2', subject: '$6', by: '$7' })}`,
);
const byHash = statement('admin_key_by_hash', 'select tenant_id, scopes from admin_key where hash = $1');

/** @param run sees all tenants, because the row of a key names its tenant */
export const postgresAdminKeys = (run: Run): AdminKeyStore => ({
  add: async ({ hash, key: { tenantId, scopes }, description, nowMs, by }) => {
    await run('*', insert(hash, tenantId, scopes, description, nowMs, adminKeyId(hash), originValue(by)));
  },
  findByHash: async (hash) => {
    const [row] = await run<{ tenant_id: AdminKey['tenantId']; scopes: AdminKey['scopes'] }>('*', byHash(hash));
    return row === undefined ? undefined : { id: adminKeyId(hash), tenantId: row.tenant_id, scopes: row.scopes };
  },
});
