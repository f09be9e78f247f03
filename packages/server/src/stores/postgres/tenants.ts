/** Tenants in PostgreSQL. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Tenant, TenantStore } from '../../features/tenants/store.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { appendEntry, type JournalRow, toRecorded } from './journal-rows.ts';
import { type Run, statement } from './transactions.ts';

const byName = statement('tenant_by_name', 'select id, name, status from tenant where name = $1');
const byId = statement('tenant_by_id', 'select id, name, status from tenant where id = $1');
const page = statement('tenant_page', 'select id, name, status from tenant where name > $1 order by name limit $2');
const create = statement(
  'tenant_create',
  `with created as (
     insert into tenant (id, name, status, created_at) values ($1, $2, 'active', $3::bigint)
     on conflict (name) do nothing returning id, name, status
   ), trace as (
     ${appendAudit(
       { event: 'authz_admin', reason: 'tenant_created', at: '$3', tenant: 'id', by: '$4' },
       'from created',
     )}
   ) select * from created`,
);
const lock = statement('tenant_lock', 'select 1 from tenant where id = $1 for no key update');
// Its sessions are not updated, because there may be millions. A session of a former epoch can
// never be refreshed.
const suspend = statement(
  'tenant_suspend',
  `with suspended as (
     update tenant set status = 'suspended', epoch = epoch + 1
      where id = $1 and status = 'active' returning epoch
   ), trace as (
     ${appendAudit(
       { event: 'authz_admin', reason: 'tenant_suspended', at: '$2', tenant: '$1', by: '$3' },
       'from suspended',
     )}
   ) ${appendEntry(
     { kind: 'tenant', key: '$1::uuid', epoch: 'coalesce(s.epoch, t.epoch)' },
     'from tenant t left join suspended s on true where t.id = $1',
   )}`,
);
const resume = statement(
  'tenant_resume',
  `with resumed as (
     update tenant set status = 'active' where id = $1 and status = 'suspended' returning id
   ) ${appendAudit(
     { event: 'authz_admin', reason: 'tenant_resumed', at: '$2', tenant: 'id', by: '$3' },
     'from resumed',
   )}`,
);

/** @param run sees all tenants, because a look-up by name does not know the id yet */
export const postgresTenants = (run: Run): TenantStore => {
  const findByName = async (name: string): Promise<Tenant | undefined> => (await run<Tenant>('*', byName(name)))[0];
  return {
    findByName,
    ensure: async ({ name, nowMs, by }) => {
      const known = await findByName(name);
      if (known !== undefined) return known;
      // Of two simultaneous inserts the second waits for the commit of the first, and the next
      // statement sees it.
      const [created] = await run<Tenant>('*', create(randomUUIDv7(), name, nowMs, originValue(by)), byName(name));
      if (created === undefined) throw new Error(`Cannot find the tenant "${name}" after creating it`);
      return created;
    },
    find: async (id: TenantId) => (await run<Tenant>(id, byId(id)))[0],
    create: async ({ name, nowMs, by }) => {
      const [created] = await run<Tenant>('*', create(randomUUIDv7(), name, nowMs, originValue(by)));
      return created ?? 'tenant_taken';
    },
    list: (afterName = '', rowsMax) => run<Tenant>('*', page(afterName, rowsMax)),
    suspend: async ({ tenantId, nowMs, by }) => {
      // Locked first, so that a repeat journals the epoch that the first call has raised.
      const rows = await run<JournalRow>(tenantId, lock(tenantId), suspend(tenantId, nowMs, originValue(by)));
      return rows.length === 0 ? undefined : toRecorded(rows);
    },
    resume: async ({ tenantId, nowMs, by }) =>
      (await run<Tenant>(tenantId, resume(tenantId, nowMs, originValue(by)), byId(tenantId)))[0],
  };
};
