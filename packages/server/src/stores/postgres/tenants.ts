/** Tenants in PostgreSQL. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { TenantId } from '@catalytic/protocol/ids';
import { usualRegistration } from '../../features/tenants/rules.ts';
import type { Tenant, TenantCreation, TenantStore } from '../../features/tenants/store.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { appendEntry, type JournalRow, toRecordedIfAny } from './journal-rows.ts';
import { type Run, statement } from './transactions.ts';

const byName = statement('tenant_by_name', 'select id, name, status, registration from tenant where name = $1');
const byId = statement('tenant_by_id', 'select id, name, status, registration from tenant where id = $1');
const page = statement(
  'tenant_page',
  'select id, name, status, registration from tenant where name > $1 order by name limit $2',
);
const create = statement(
  'tenant_create',
  `with created as (
     insert into tenant (id, name, status, registration, created_at) values ($1, $2, 'active', $5, $3::bigint)
     on conflict (name) do nothing returning id, name, status, registration
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
     { kind: 'tenant', key: '$1::uuid', epoch: 'coalesce(s.epoch, t.epoch)', tenant: '$1' },
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

const setRegistration = statement(
  'tenant_set_registration',
  `with changed as (
     update tenant set registration = $2 where id = $1 and registration <> $2 returning id
   ) ${appendAudit(
     { event: 'authz_admin', reason: 'registration_changed', at: '$3', tenant: 'id', by: '$4' },
     'from changed',
   )}`,
);
const invite = statement(
  'tenant_invite',
  `with forgotten as (
     delete from invitation where tenant_id = $2::uuid and expires_at <= $4::bigint
   ), invited as (
     insert into invitation (hash, tenant_id, expires_at, created_at) values ($1, $2::uuid, $3, $4::bigint)
   ) ${appendAudit({ event: 'authz_admin', reason: 'invitation_created', at: '$4', tenant: '$2', by: '$5' })}`,
);
const isInvited = statement(
  'tenant_is_invited',
  'select 1 from invitation where tenant_id = $1 and hash = $2 and expires_at > $3',
);

const valuesOf = ({ name, registration = usualRegistration, nowMs, by }: TenantCreation): readonly unknown[] => [
  ...[randomUUIDv7(), name, nowMs, originValue(by), registration],
];

/** @param run sees all tenants, because a look-up by name does not know the id yet */
export const postgresTenants = (run: Run): TenantStore => {
  const findByName = async (name: string): Promise<Tenant | undefined> => (await run<Tenant>('*', byName(name)))[0];
  return {
    findByName,
    ensure: async (creation) => {
      const { name } = creation;
      const known = await findByName(name);
      if (known !== undefined) return known;
      // Of two simultaneous inserts the second waits for the commit of the first, and the next
      // statement sees it.
      const [created] = await run<Tenant>('*', create(...valuesOf(creation)), byName(name));
      if (created === undefined) throw new Error(`Cannot find the tenant "${name}" after creating it`);
      return created;
    },
    find: async (id: TenantId) => (await run<Tenant>(id, byId(id)))[0],
    create: async (creation) => {
      const [created] = await run<Tenant>('*', create(...valuesOf(creation)));
      return created ?? 'tenant_taken';
    },
    list: (afterName = '', rowsMax) => run<Tenant>('*', page(afterName, rowsMax)),
    suspend: async ({ tenantId, nowMs, by }) => {
      // Locked first, so that a repeat journals the epoch that the first call has raised.
      const rows = await run<JournalRow>(tenantId, lock(tenantId), suspend(tenantId, nowMs, originValue(by)));
      return toRecordedIfAny(rows);
    },
    setRegistration: async ({ tenantId, registration, nowMs, by }) => {
      const change = setRegistration(tenantId, registration, nowMs, originValue(by));
      return (await run<Tenant>(tenantId, change, byId(tenantId)))[0];
    },
    invite: async ({ tenantId, hash, expiresAtMs, nowMs, by }) => {
      await run(tenantId, invite(hash, tenantId, expiresAtMs, nowMs, originValue(by)));
    },
    isInvited: async (tenantId, hash, nowMs) => (await run(tenantId, isInvited(tenantId, hash, nowMs))).length > 0,
    resume: async ({ tenantId, nowMs, by }) =>
      (await run<Tenant>(tenantId, resume(tenantId, nowMs, originValue(by)), byId(tenantId)))[0],
  };
};
