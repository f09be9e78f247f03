/** Writing operations of tenants. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Recorded } from '../../features/revocation/store.ts';
import { journalAppender } from './journal-writes.ts';

interface Target {
  readonly id: TenantId;
  readonly nowMs: number;
}

/** Prepares the operations. */
export const tenantWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const insert = database.prepare(
    `insert into tenant (id, name, status, created_at) values (?, ?, 'active', ?) on conflict (name) do nothing`,
  );
  const suspend = database.prepare(
    "update tenant set status = 'suspended', epoch = epoch + 1 where id = ? and status = 'active' returning epoch",
  );
  const resume = database.prepare("update tenant set status = 'active' where id = ? and status = 'suspended'");
  const readEpoch = database.prepare('select epoch from tenant where id = ?');
  const audit = database.prepare('insert into audit (at, event, tenant_id) values (?, ?, ?)');
  return {
    ensureTenant: ({ name, nowMs }: { name: string; nowMs: number }): void => {
      insert.run(randomUUIDv7(), name, nowMs);
    },

    createTenant: ({ name, nowMs }: { name: string; nowMs: number }): TenantId | undefined => {
      const id = randomUUIDv7() as TenantId;
      if (insert.run(id, name, nowMs).changes === 0) return undefined;
      audit.run(nowMs, 'tenant_created', id);
      return id;
    },

    // Its sessions are not touched, there may be millions: a session of a former epoch can never be refreshed.
    suspendTenant: ({ id, nowMs }: Target): Recorded | undefined => {
      const suspended = suspend.get(id) as { epoch: number } | undefined;
      const reached = suspended ?? (readEpoch.get(id) as { epoch: number } | undefined);
      if (reached === undefined) return undefined;
      if (suspended !== undefined) audit.run(nowMs, 'tenant_updated', id);
      return journal.append({ kind: 'tenant', key: id, epoch: reached.epoch });
    },

    resumeTenant: ({ id, nowMs }: Target): void => {
      if (resume.run(id).changes === 1) audit.run(nowMs, 'tenant_updated', id);
    },
  };
};
