/** Accounts in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { Account, AccountStore } from '../../features/accounts/store.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

interface AccountRow {
  readonly id: AccountId;
  readonly tenant_id: TenantId;
  readonly email: string;
  readonly status: Account['status'];
  readonly roles: string;
  readonly created_at: number;
  readonly password_hash: string;
}

const toAccount = (row: AccountRow): Account => ({
  id: row.id,
  tenantId: row.tenant_id,
  email: row.email,
  status: row.status,
  roles: JSON.parse(row.roles) as readonly string[],
  createdAtMs: row.created_at,
});

/** @param reader connection for reading */
export const sqliteAccounts = (reader: DatabaseSync, writer: Writer): AccountStore => {
  const write = writer.of('accounts');
  const [enable, changeEmail] = [write('enable'), write('changeEmail')];
  const columns = 'id, tenant_id, email, status, roles, created_at, password_hash';
  const byId = reader.prepare(`select ${columns} from account where tenant_id = ? and id = ? and deleted_at is null`);
  const byEmail = reader.prepare(
    `select ${columns} from account where tenant_id = ? and email_key = ? and deleted_at is null`,
  );
  const page = reader.prepare(
    `select ${columns} from account
      where tenant_id = :tenant and deleted_at is null
        and email_key > case when :after is null then ''
                             else (select email_key from account where tenant_id = :tenant and id = :after) end
      order by email_key limit :rowsMax`,
  );
  const find: AccountStore['find'] = async (tenantId, id) => {
    const row = readRow<AccountRow>(byId, tenantId, id);
    return row === undefined ? undefined : toAccount(row);
  };
  return {
    create: write('create'),
    importMany: write('importMany'),
    find,
    findForLogin: async (tenantId, emailKey) => {
      const row = readRow<AccountRow>(byEmail, tenantId, emailKey);
      return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
    },
    findWithPassword: async (tenantId, id) => {
      const row = readRow<AccountRow>(byId, tenantId, id);
      return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
    },
    list: async ({ tenantId, after, rowsMax }) =>
      readRows<AccountRow>(page, { tenant: tenantId, after: after ?? null, rowsMax }).map(toAccount),
    disable: write('disable'),
    enable: async (change) => {
      await enable(change);
      return find(change.tenantId, change.accountId);
    },
    changeRoles: write('changeRoles'),
    changeEmail: async (change) =>
      (await changeEmail(change)) ? 'email_taken' : find(change.tenantId, change.accountId),
    resetPassword: write('resetPassword'),
    delete: write('delete'),
    upgradePasswordHash: write('upgradePasswordHash'),
  };
};
