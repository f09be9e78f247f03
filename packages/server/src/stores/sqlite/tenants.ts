/** Tenants in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { Tenant, TenantStore } from '../../features/tenants/store.ts';
import { readRow } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteTenants = (reader: DatabaseSync, writer: Writer): TenantStore => {
  const byName = reader.prepare('select id, name, status from tenant where name = ?');
  const findByName = async (name: string): Promise<Tenant | undefined> => {
    const row = readRow<Tenant>(byName, name);
    return row === undefined ? undefined : { id: row.id, name: row.name, status: row.status };
  };
  return {
    findByName,
    ensure: async (name, nowMs) => {
      const known = await findByName(name);
      if (known !== undefined) return known;
      await writer.run('ensureTenant', { name, nowMs });
      const created = await findByName(name);
      if (created === undefined) throw new Error(`Cannot find the tenant "${name}" after creating it`);
      return created;
    },
  };
};
