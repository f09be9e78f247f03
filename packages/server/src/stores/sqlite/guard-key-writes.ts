/** Writing operations of guard keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import { keyId } from '../../features/admin-keys/rules.ts';
import type { KeyRevocation } from '../../features/admin-keys/store.ts';
import type { NewGuardKey } from '../../features/guard-keys/store.ts';
import { auditAppender } from './audit-writes.ts';
import { idOfHash, keyUseWriter } from './key-rows.ts';

/** Prepares the operations. */
export const guardKeyWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
  const insert = database.prepare(
    `insert into guard_key (hash, tenant_id, guards_max, description, created_at, expires_at)
     values (?, ?, ?, ?, ?, ?)`,
  );
  const remove = database.prepare(
    `delete from guard_key where ${idOfHash} = :id and (:tenant is null or tenant_id = :tenant)
     returning tenant_id as tenantId`,
  );
  const markGuards = database.prepare("update member set state = 'leaving' where kind = 'guard' and key = ?");
  const raiseRevision = database.prepare('update deployment set guard_keys_revision = guard_keys_revision + 1');
  return {
    add: ({ hash, key: { tenantId, guardsMax }, description, expiresAtMs, nowMs, by }: NewGuardKey): void => {
      insert.run(hash, tenantId, guardsMax, description, nowMs, expiresAtMs);
      raiseRevision.run();
      const row = { event: 'authn_token_created', reason: 'guard_key', subject: keyId(hash) } as const;
      audit.append({ ...row, atMs: nowMs, tenantId: tenantId ?? undefined, by });
    },

    revoke: ({ id, tenantId, nowMs, by }: KeyRevocation): boolean => {
      const removed = remove.get({ id, tenant: tenantId }) as { tenantId: TenantId | null } | undefined;
      if (removed === undefined) return false;
      markGuards.run(id);
      raiseRevision.run();
      const row = { event: 'authn_token_revoked', reason: 'guard_key', subject: id } as const;
      audit.append({ ...row, atMs: nowMs, tenantId: removed.tenantId ?? undefined, by });
      return true;
    },

    noteUse: keyUseWriter(database, 'guard_key'),
  };
};
