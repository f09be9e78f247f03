/** Writing operations of admin keys. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AdminKey } from '../../features/admin-keys/store.ts';
import type { Origin } from '../../features/audit/store.ts';
import { adminKeyId, unattributed } from '../audit-row.ts';
import { auditAppender } from './audit-writes.ts';

interface NewAdminKey {
  readonly hash: Uint8Array;
  readonly key: AdminKey;
  readonly description: string;
  readonly nowMs: number;
  readonly by?: Origin | undefined;
}

/** Prepares the operations. */
export const adminKeyWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
  const insert = database.prepare(
    'insert into admin_key (hash, tenant_id, scopes, description, created_at) values (?, ?, ?, ?, ?)',
  );
  return {
    addAdminKey: (input: NewAdminKey): void => {
      const { hash, key, description, nowMs, by = unattributed } = input;
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
