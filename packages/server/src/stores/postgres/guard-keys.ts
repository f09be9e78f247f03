/** Guard keys in PostgreSQL. @module */
import { keyId } from '../../features/admin-keys/rules.ts';
import type { GuardKeyStore, ListedGuardKey } from '../../features/guard-keys/store.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { lockGuards } from './guards.ts';
import { idOfHash, keyRows } from './key-rows.ts';
import { type Run, statement } from './transactions.ts';

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
const rowsOf = keyRows('guard_key', 'guards_max as "guardsMax"');

/** @param run sees all tenants, because the row of a key names its tenant */
export const postgresGuardKeys = (run: Run): GuardKeyStore => ({
  add: async ({ hash, key: { tenantId, guardsMax }, description, expiresAtMs, nowMs, by }) => {
    const id = keyId(hash);
    await run('*', insert(hash, tenantId, guardsMax, description, nowMs, id, originValue(by), expiresAtMs));
  },
  ...rowsOf<ListedGuardKey>(run),
  revoke: async ({ id, tenantId, nowMs, by }) =>
    (await run('*', lockGuards(), revoke(id, tenantId, nowMs, originValue(by)))).length > 0,
});
