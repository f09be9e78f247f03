/** Writing operations of admin keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import { adminKeyId } from '../../features/admin-keys/rules.ts';
import type { NewAdminKey } from '../../features/admin-keys/store.ts';
import { auditAppender } from './audit-writes.ts';

/** Prepares the operations. */
export const adminKeyWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
  const insert = database.prepare(
    'insert into admin_key (hash, tenant_id, scopes, description, created_at) values (?, ?, ?, ?, ?)',
  );
  return {
    add: ({ hash, key, description, nowMs, by }: NewAdminKey): void => {
      insert.run(hash, key.tenantId, JSON.stringify(key.scopes), description, nowMs);
      audit.append({
        event: 'authn_token_created',
        reason: 'admin_key',
        atMs: nowMs,
        tenantId: key.tenantId ?? undefined,
        subject: adminKeyId(hash),
        by,
      });
    },
  };
};
