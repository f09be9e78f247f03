/** Admin keys in PostgreSQL. @module */
import { keyId } from '../../features/admin-keys/rules.ts';
import type { AdminKeyStore, ListedAdminKey } from '../../features/admin-keys/store.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { type Run, statement } from './transactions.ts';

/** `keyId` of the rules, in SQL. */
export const idOfHash = `encode(substring(hash from 1 for 6), 'hex')`;
const columns = `${idOfHash} as id, tenant_id as "tenantId", scopes, description, created_at as "createdAtMs",
  expires_at as "expiresAtMs", last_used_at as "lastUsedAtMs"`;
const insert = statement(
  'admin_key_insert',
  `with added as (
     insert into admin_key (hash, tenant_id, scopes, description, created_at, expires_at)
     values ($1, $2::uuid, $3, $4, $5::bigint, $8)
   ) ${appendAudit({ event: 'authn_token_created', reason: 'admin_key', at: '$5', tenant: '$2', subject: '$6', by: '$7' })}`,
);
const byHash = statement('admin_key_by_hash', `select ${columns} from admin_key where hash = $1`);
const page = statement(
  'admin_key_page',
  `select ${columns} from admin_key
    where ($1::uuid is null or tenant_id = $1::uuid) and ${idOfHash} > $2 order by hash limit $3`,
);
const revoke = statement(
  'admin_key_revoke',
  `with revoked as (
     delete from admin_key where ${idOfHash} = $1 and ($2::uuid is null or tenant_id = $2::uuid) returning tenant_id
   ), trace as (
     ${appendAudit({ event: 'authn_token_revoked', reason: 'admin_key', at: '$3', tenant: 'tenant_id', subject: '$1', by: '$4' }, 'from revoked')}
   ) select 1 from revoked`,
);
const noteUse = statement(
  'admin_key_note_use',
  `update admin_key set last_used_at = $2::bigint
    where hash = $1 and (last_used_at is null or last_used_at <= $2::bigint - $3::bigint)`,
);

/** @param run sees all tenants, because the row of a key names its tenant */
export const postgresAdminKeys = (run: Run): AdminKeyStore => ({
  add: async ({ hash, key: { tenantId, scopes }, description, expiresAtMs, nowMs, by }) => {
    const id = keyId(hash);
    await run('*', insert(hash, tenantId, scopes, description, nowMs, id, originValue(by), expiresAtMs));
  },
  findByHash: async (hash) => (await run<ListedAdminKey>('*', byHash(hash)))[0],
  list: ({ tenantId, after = '', rowsMax }) => run<ListedAdminKey>('*', page(tenantId, after, rowsMax)),
  revoke: async ({ id, tenantId, nowMs, by }) =>
    (await run('*', revoke(id, tenantId, nowMs, originValue(by)))).length > 0,
  noteUse: async ({ hash, nowMs, everyMs }) => {
    await run('*', noteUse(hash, nowMs, everyMs));
  },
});
