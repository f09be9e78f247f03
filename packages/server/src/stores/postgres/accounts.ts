/** Accounts in PostgreSQL. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { Account, AccountStore, NewAccount } from '../../features/accounts/store.ts';
import { type Run, statement } from './transactions.ts';

interface AccountRow {
  readonly id: AccountId;
  readonly tenant_id: TenantId;
  readonly email: string;
  readonly status: Account['status'];
  readonly roles: readonly string[];
  readonly created_at: number;
  readonly password_hash: string;
}

const toAccount = (row: AccountRow): Account => ({
  id: row.id,
  tenantId: row.tenant_id,
  email: row.email,
  status: row.status,
  roles: row.roles,
  createdAtMs: row.created_at,
});

const columns = 'id, tenant_id, email, status, roles, created_at, password_hash';
const byId = statement('account_by_id', `select ${columns} from account where tenant_id = $1 and id = $2`);
const byEmail = statement('account_by_email', `select ${columns} from account where tenant_id = $1 and email_key = $2`);
const insert = statement(
  'account_insert',
  `insert into account (id, tenant_id, email, email_key, password_hash, status, roles, created_at)
   select n.id, $2, n.email, n."emailKey", n."passwordHash", 'active', n.roles, $3
     from jsonb_to_recordset($1) as n (id uuid, email text, "emailKey" text, "passwordHash" text, roles text[])
   on conflict (tenant_id, email_key) do nothing
   returning id`,
);
const replaceHash = statement(
  'account_replace_hash',
  'update account set password_hash = $4 where tenant_id = $1 and id = $2 and password_hash = $3 returning id',
);

/** @param run runs transactions */
export const postgresAccounts = (run: Run): AccountStore => {
  /** The ids of those that were new. */
  const store = (tenantId: TenantId, accounts: readonly NewAccount[], nowMs: number) => {
    const rows = accounts.map((account) => ({ ...account, id: randomUUIDv7() }));
    return run<{ id: AccountId }>(tenantId, insert(JSON.stringify(rows), tenantId, nowMs));
  };
  return {
    create: async (tenantId, account, nowMs) => (await store(tenantId, [account], nowMs))[0]?.id ?? 'email_taken',
    importMany: async (tenantId, accounts, nowMs) => {
      const { length: imported } = await store(tenantId, accounts, nowMs);
      return { imported, existing: accounts.length - imported };
    },
    find: async (tenantId, id) => {
      const [row] = await run<AccountRow>(tenantId, byId(tenantId, id));
      return row === undefined ? undefined : toAccount(row);
    },
    findForLogin: async (tenantId, emailKey) => {
      const [row] = await run<AccountRow>(tenantId, byEmail(tenantId, emailKey));
      return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
    },
    upgradePasswordHash: async (tenantId, id, from, to) =>
      (await run(tenantId, replaceHash(tenantId, id, from, to))).length === 1,
  };
};
