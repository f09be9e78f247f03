/** Writing operations of admin keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import { keyId } from '../../features/admin-keys/rules.ts';
import type { KeyRevocation, NewAdminKey } from '../../features/admin-keys/store.ts';
import { auditAppender } from './audit-writes.ts';
import { idOfHash, keyUseWriter } from './key-rows.ts';

/** Prepares the operations. */
export const adminKeyWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
  const insert = database.prepare(
    'insert into admin_key (hash, tenant_id, scopes, description, created_at, expires_at) values (?, ?, ?, ?, ?, ?)',
  );
  const remove = database.prepare(
    `delete from admin_key where ${idOfHash} = :id and (:tenant is null or tenant_id = :tenant)
     returning tenant_id as tenantId`,
  );
  return {
    add: ({ hash, key, description, expiresAtMs, nowMs, by }: NewAdminKey): void => {
      insert.run(hash, key.tenantId, JSON.stringify(key.scopes), description, nowMs, expiresAtMs);
      audit.append({
        event: 'authn_token_created',
        reason: 'admin_key',
        atMs: nowMs,
        tenantId: key.tenantId ?? undefined,
        subject: keyId(hash),
        by,
      });
    },

    revoke: ({ id, tenantId, nowMs, by }: KeyRevocation): boolean => {
      const removed = remove.get({ id, tenant: tenantId }) as { tenantId: TenantId | null } | undefined;
      if (removed === undefined) return false;
      const row = { event: 'authn_token_revoked', reason: 'admin_key', subject: id } as const;
      audit.append({ ...row, atMs: nowMs, tenantId: removed.tenantId ?? undefined, by });
      return true;
    },

    noteUse: keyUseWriter(database, 'admin_key'),
  };
};
