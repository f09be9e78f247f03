/** Guard keys in PostgreSQL. @module */
import { keyId } from '../../features/admin-keys/rules.ts';
import type { GuardKeyStore, ListedGuardKey } from '../../features/guard-keys/store.ts';
import { idOfHash } from './admin-keys.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { lockGuards } from './guards.ts';
import { type Run, statement } from './transactions.ts';

const columns = `${idOfHash} as id, tenant_id as "tenantId", guards_max as "guardsMax", description,
  created_at as "createdAtMs", expires_at as "expiresAtMs", last_used_at as "lastUsedAtMs"`;
const raiseRevision = 'update deployment set guard_keys_revision = guard_keys_revision + 1';
const insert = statement(
  'guard_key_insert',
  `with added as (
     insert into guard_key (hash, tenant_id, guards_max, description, created_at, expires_at)
     values ($1, $2::uuid, $3, $4, $5::bigint, $8)
   ), raised as (
     ${raiseRevision}
   ) ${appendAudit({ event: 'authn_token_created', reason: 'guard_key', at: '$5', tenant: '$2', subject: '$6', by: '$7' })}`,
);
const byHash = statement('guard_key_by_hash', `select ${columns} from guard_key where hash = $1`);
const page = statement(
  'guard_key_page',
  `select ${columns} from guard_key
    where ($1::uuid is null or tenant_id = $1::uuid) and ${idOfHash} > $2 order by hash limit $3`,
);
const revoke = statement(
  'guard_key_revoke',
  `with revoked as (
     delete from guard_key where ${idOfHash} = $1 and ($2::uuid is null or tenant_id = $2::uuid)
     returning tenant_id
   ), marked as (
     update member set state = 'leaving' from revoked where kind = 'guard' and key = $1
   ), raised as (
     ${raiseRevision} from revoked
   ), trace as (
     ${appendAudit({ event: 'authn_token_revoked', reason: 'guard_key', at: '$3', tenant: 'tenant_id', subject: '$1', by: '$4' }, 'from revoked')}
   ) select 1 from revoked`,
);
const noteUse = statement(
  'guard_key_note_use',
  `update guard_key set last_used_at = $2::bigint
    where hash = $1 and (last_used_at is null or last_used_at <= $2::bigint - $3::bigint)`,
);

/** @param run sees all tenants, because the row of a key names its tenant */
export const postgresGuardKeys = (run: Run): GuardKeyStore => ({
  add: async ({ hash, key: { tenantId, guardsMax }, description, expiresAtMs, nowMs, by }) => {
    const id = keyId(hash);
    await run('*', insert(hash, tenantId, guardsMax, description, nowMs, id, originValue(by), expiresAtMs));
  },
  findByHash: async (hash) => (await run<ListedGuardKey>('*', byHash(hash)))[0],
  list: ({ tenantId, after = '', rowsMax }) => run<ListedGuardKey>('*', page(tenantId, after, rowsMax)),
  revoke: async ({ id, tenantId, nowMs, by }) =>
    (await run('*', lockGuards(), revoke(id, tenantId, nowMs, originValue(by)))).length > 0,
  noteUse: async ({ hash, nowMs, everyMs }) => {
    await run('*', noteUse(hash, nowMs, everyMs));
  },
});
