/** Writing operations of accounts. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { NewAccount } from '../../features/accounts/store.ts';

/** Prepares the operations. */
export const accountWrites = (database: DatabaseSync) => {
  const insert = database.prepare(
    `insert into account (id, tenant_id, email, email_key, password_hash, status, roles, created_at)
     values (?, ?, ?, ?, ?, 'active', ?, ?)
     on conflict (tenant_id, email_key) do nothing`,
  );
  const replaceHash = database.prepare(
    'update account set password_hash = ? where tenant_id = ? and id = ? and password_hash = ?',
  );

  const create = (tenantId: TenantId, account: NewAccount, nowMs: number): AccountId | 'email_taken' => {
    const id = randomUUIDv7() as AccountId;
    const { email, emailKey, passwordHash, roles } = account;
    const { changes } = insert.run(id, tenantId, email, emailKey, passwordHash, JSON.stringify(roles), nowMs);
    return changes === 1 ? id : 'email_taken';
  };

  return {
    createAccount: (input: { tenantId: TenantId; account: NewAccount; nowMs: number }) =>
      create(input.tenantId, input.account, input.nowMs),

    importAccounts: (input: { tenantId: TenantId; accounts: readonly NewAccount[]; nowMs: number }) => {
      const created = input.accounts.filter(
        (account) => create(input.tenantId, account, input.nowMs) !== 'email_taken',
      );
      return { imported: created.length, existing: input.accounts.length - created.length };
    },

    upgradePasswordHash: (input: { tenantId: TenantId; id: AccountId; from: string; to: string }): boolean =>
      replaceHash.run(input.to, input.tenantId, input.id, input.from).changes === 1,
  };
};
