/** Tenants in PostgreSQL. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { Tenant, TenantStore } from '../../features/tenants/store.ts';
import { type Run, statement } from './transactions.ts';

const byName = statement('tenant_by_name', 'select id, name, status from tenant where name = $1');
const insert = statement(
  'tenant_insert',
  `insert into tenant (id, name, status, created_at) values ($1, $2, 'active', $3) on conflict (name) do nothing`,
);

/** @param run sees all tenants: the name is all that is known yet */
export const postgresTenants = (run: Run): TenantStore => {
  const findByName = async (name: string): Promise<Tenant | undefined> => (await run<Tenant>('*', byName(name)))[0];
  return {
    findByName,
    ensure: async (name, nowMs) => {
      const known = await findByName(name);
      if (known !== undefined) return known;
      // Of two inserts at once the second waits for the first one's commit, and the next statement sees it.
      const [created] = await run<Tenant>('*', insert(randomUUIDv7(), name, nowMs), byName(name));
      if (created === undefined) throw new Error(`Cannot find the tenant "${name}" after creating it`);
      return created;
    },
  };
};
