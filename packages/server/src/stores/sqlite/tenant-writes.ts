/** Writing operations of tenants. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Recorded } from '../../features/revocation/store.ts';
import { usualRegistration } from '../../features/tenants/rules.ts';
import type {
  NewInvitation,
  RegistrationChange,
  Tenant,
  TenantChange,
  TenantCreation,
} from '../../features/tenants/store.ts';
import { auditAppender } from './audit-writes.ts';
import { journalAppender } from './journal-writes.ts';

/** Prepares the operations. */
export const tenantWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const insert = database.prepare(
    `insert into tenant (id, name, status, registration, created_at) values (?, ?, 'active', ?, ?)
     on conflict (name) do nothing`,
  );
  const suspend = database.prepare(
    "update tenant set status = 'suspended', epoch = epoch + 1 where id = ? and status = 'active' returning epoch",
  );
  const resume = database.prepare("update tenant set status = 'active' where id = ? and status = 'suspended'");
  const register = database.prepare(
    'update tenant set registration = :registration where id = :tenant and registration <> :registration',
  );
  const forgetInvitations = database.prepare('delete from invitation where tenant_id = ? and expires_at <= ?');
  const insertInvitation = database.prepare(
    'insert into invitation (hash, tenant_id, expires_at, created_at) values (?, ?, ?, ?)',
  );
  const readEpoch = database.prepare('select epoch from tenant where id = ?');

  return {
    create: ({ name, registration = usualRegistration, nowMs, by }: TenantCreation): Tenant | 'tenant_taken' => {
      const id = randomUUIDv7() as TenantId;
      if (insert.run(id, name, registration, nowMs).changes === 0) return 'tenant_taken';
      audit.append({ event: 'authz_admin', reason: 'tenant_created', atMs: nowMs, tenantId: id, by });
      return { id, name, status: 'active', registration };
    },

    // Its sessions are not updated, because there may be millions. A session of a former epoch can
    // never be refreshed.
    suspend: ({ tenantId, nowMs, by }: TenantChange): Recorded | undefined => {
      const suspended = suspend.get(tenantId) as { epoch: number } | undefined;
      const reached = suspended ?? (readEpoch.get(tenantId) as { epoch: number } | undefined);
      if (reached === undefined) return undefined;
      if (suspended !== undefined)
        audit.append({ event: 'authz_admin', reason: 'tenant_suspended', atMs: nowMs, tenantId, by });
      return journal.append({ kind: 'tenant', key: tenantId, epoch: reached.epoch }, tenantId);
    },

    setRegistration: ({ tenantId, registration, nowMs, by }: RegistrationChange): void => {
      if (register.run({ tenant: tenantId, registration }).changes === 1)
        audit.append({ event: 'authz_admin', reason: 'registration_changed', atMs: nowMs, tenantId, by });
    },

    invite: ({ tenantId, hash, expiresAtMs, nowMs, by }: NewInvitation): void => {
      forgetInvitations.run(tenantId, nowMs);
      insertInvitation.run(hash, tenantId, expiresAtMs, nowMs);
      audit.append({ event: 'authz_admin', reason: 'invitation_created', atMs: nowMs, tenantId, by });
    },

    resume: ({ tenantId, nowMs, by }: TenantChange): void => {
      if (resume.run(tenantId).changes === 1)
        audit.append({ event: 'authz_admin', reason: 'tenant_resumed', atMs: nowMs, tenantId, by });
    },
  };
};
