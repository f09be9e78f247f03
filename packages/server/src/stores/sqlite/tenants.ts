/** Tenants in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Tenant, TenantStore } from '../../features/tenants/store.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteTenants = (reader: DatabaseSync, writer: Writer): TenantStore => {
  const write = writer.of('tenants');
  const [create, resume, setRegistration] = [write('create'), write('resume'), write('setRegistration')];
  const findInvitation = reader.prepare('select 1 from invitation where tenant_id = ? and hash = ? and expires_at > ?');
  const byName = reader.prepare('select id, name, status, registration from tenant where name = ?');
  const byId = reader.prepare('select id, name, status, registration from tenant where id = ?');
  const page = reader.prepare('select id, name, status, registration from tenant where name > ? order by name limit ?');
  const findByName = async (name: string): Promise<Tenant | undefined> => {
    const row = readRow<Tenant>(byName, name);
    return row === undefined ? undefined : { ...row };
  };
  const find = async (id: TenantId): Promise<Tenant | undefined> => {
    const row = readRow<Tenant>(byId, id);
    return row === undefined ? undefined : { ...row };
  };
  return {
    findByName,
    find,
    create,
    list: async (afterName = '', rowsMax) => readRows<Tenant>(page, afterName, rowsMax).map((row) => ({ ...row })),
    suspend: write('suspend'),
    resume: async (change) => {
      await resume(change);
      return find(change.tenantId);
    },
    setRegistration: async (change) => {
      await setRegistration(change);
      return find(change.tenantId);
    },
    invite: write('invite'),
    isInvited: async (tenantId, hash, nowMs) => readRow(findInvitation, tenantId, hash, nowMs) !== undefined,
    ensure: async (creation) => {
      const { name } = creation;
      const known = await findByName(name);
      if (known !== undefined) return known;
      const created = await create(creation);
      const tenant = created === 'tenant_taken' ? await findByName(name) : created;
      if (tenant === undefined) throw new Error(`Cannot find the tenant "${name}" after creating it`);
      return tenant;
    },
  };
};
