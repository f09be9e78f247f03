/** Writing operations of tenants. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../../features/audit/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { unattributed } from '../audit-row.ts';
import { auditAppender } from './audit-writes.ts';
import { journalAppender } from './journal-writes.ts';

interface Target {
  readonly id: TenantId;
  readonly nowMs: number;
  readonly by?: Origin | undefined;
}

interface Creation {
  readonly name: string;
  readonly nowMs: number;
  readonly by?: Origin | undefined;
}

/** Prepares the operations. */
export const tenantWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const insert = database.prepare(
    `insert into tenant (id, name, status, created_at) values (?, ?, 'active', ?) on conflict (name) do nothing`,
  );
  const suspend = database.prepare(
    "update tenant set status = 'suspended', epoch = epoch + 1 where id = ? and status = 'active' returning epoch",
  );
  const resume = database.prepare("update tenant set status = 'active' where id = ? and status = 'suspended'");
  const readEpoch = database.prepare('select epoch from tenant where id = ?');

  const make = ({ name, nowMs, by = unattributed }: Creation): TenantId | undefined => {
    const id = randomUUIDv7() as TenantId;
    if (insert.run(id, name, nowMs).changes === 0) return undefined;
    audit.append({ event: 'authz_admin', reason: 'tenant_created', atMs: nowMs, tenantId: id, by });
    return id;
  };

  return {
    ensureTenant: (input: Creation): void => {
      make(input);
    },

    createTenant: make,

    // Its sessions are not touched, there may be millions: a session of a former epoch can never be refreshed.
    suspendTenant: ({ id, nowMs, by = unattributed }: Target): Recorded | undefined => {
      const suspended = suspend.get(id) as { epoch: number } | undefined;
      const reached = suspended ?? (readEpoch.get(id) as { epoch: number } | undefined);
      if (reached === undefined) return undefined;
      if (suspended !== undefined)
        audit.append({ event: 'authz_admin', reason: 'tenant_suspended', atMs: nowMs, tenantId: id, by });
      return journal.append({ kind: 'tenant', key: id, epoch: reached.epoch });
    },

    resumeTenant: ({ id, nowMs, by = unattributed }: Target): void => {
      if (resume.run(id).changes === 1)
        audit.append({ event: 'authz_admin', reason: 'tenant_resumed', atMs: nowMs, tenantId: id, by });
    },
  };
};
