/** Tenants in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Tenant, TenantStore } from '../../features/tenants/store.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteTenants = (reader: DatabaseSync, writer: Writer): TenantStore => {
  const byName = reader.prepare('select id, name, status from tenant where name = ?');
  const byId = reader.prepare('select id, name, status from tenant where id = ?');
  const page = reader.prepare('select id, name, status from tenant where name > ? order by name limit ?');
  const findByName = async (name: string): Promise<Tenant | undefined> => {
    const row = readRow<Tenant>(byName, name);
    return row === undefined ? undefined : { id: row.id, name: row.name, status: row.status };
  };
  const find = async (id: TenantId): Promise<Tenant | undefined> => {
    const row = readRow<Tenant>(byId, id);
    return row === undefined ? undefined : { ...row };
  };
  return {
    findByName,
    find,
    create: async (name, nowMs, by) => {
      const id = await writer.run('createTenant', { name, nowMs, by });
      return id === undefined ? 'tenant_taken' : { id, name, status: 'active' };
    },
    list: async (afterName = '', rowsMax) => readRows<Tenant>(page, afterName, rowsMax).map((row) => ({ ...row })),
    suspend: (id, nowMs, by) => writer.run('suspendTenant', { id, nowMs, by }),
    resume: async (id, nowMs, by) => {
      await writer.run('resumeTenant', { id, nowMs, by });
      return find(id);
    },
    ensure: async (name, nowMs, by) => {
      const known = await findByName(name);
      if (known !== undefined) return known;
      await writer.run('ensureTenant', { name, nowMs, by });
      const created = await findByName(name);
      if (created === undefined) throw new Error(`Cannot find the tenant "${name}" after creating it`);
      return created;
    },
  };
};
