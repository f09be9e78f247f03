/** Admin keys in PostgreSQL. @module */
import { keyId } from '../../features/admin-keys/rules.ts';
import type { AdminKeyStore, ListedAdminKey } from '../../features/admin-keys/store.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { idOfHash, keyRows } from './key-rows.ts';
import { type Run, statement } from './transactions.ts';

const insert = statement(
  'admin_key_insert',
  `with added as (
     insert into admin_key (hash, tenant_id, scopes, description, created_at, expires_at)
     values ($1, $2::uuid, $3, $4, $5::bigint, $8)
   ) ${appendAudit({ event: 'authn_token_created', reason: 'admin_key', at: '$5', tenant: '$2', subject: '$6', by: '$7' })}`,
);
const revoke = statement(
  'admin_key_revoke',
  `with revoked as (
     delete from admin_key where ${idOfHash} = $1 and ($2::uuid is null or tenant_id = $2::uuid) returning tenant_id
   ), trace as (
     ${appendAudit({ event: 'authn_token_revoked', reason: 'admin_key', at: '$3', tenant: 'tenant_id', subject: '$1', by: '$4' }, 'from revoked')}
   ) select 1 from revoked`,
);
const rowsOf = keyRows('admin_key', 'scopes');

/** @param run sees all tenants, because the row of a key names its tenant */
export const postgresAdminKeys = (run: Run): AdminKeyStore => ({
  add: async ({ hash, key: { tenantId, scopes }, description, expiresAtMs, nowMs, by }) => {
    const id = keyId(hash);
    await run('*', insert(hash, tenantId, scopes, description, nowMs, id, originValue(by), expiresAtMs));
  },
  ...rowsOf<ListedAdminKey>(run),
  revoke: async ({ id, tenantId, nowMs, by }) =>
    (await run('*', revoke(id, tenantId, nowMs, originValue(by)))).length > 0,
});
