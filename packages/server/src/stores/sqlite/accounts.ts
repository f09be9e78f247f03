/** Accounts in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { Account, AccountStore } from '../../features/accounts/store.ts';
import { readRow } from './unavailable.ts';
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
  const columns = 'id, tenant_id, email, status, roles, created_at, password_hash';
  const byId = reader.prepare(`select ${columns} from account where tenant_id = ? and id = ?`);
  const byEmail = reader.prepare(`select ${columns} from account where tenant_id = ? and email_key = ?`);
  return {
    create: (tenantId, account, nowMs) => writer.run('createAccount', { tenantId, account, nowMs }),
    importMany: (tenantId, accounts, nowMs) => writer.run('importAccounts', { tenantId, accounts, nowMs }),
    find: async (tenantId, id) => {
      const row = readRow<AccountRow>(byId, tenantId, id);
      return row === undefined ? undefined : toAccount(row);
    },
    findForLogin: async (tenantId, emailKey) => {
      const row = readRow<AccountRow>(byEmail, tenantId, emailKey);
      return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
    },
    upgradePasswordHash: (tenantId, id, from, to) => writer.run('upgradePasswordHash', { tenantId, id, from, to }),
  };
};
