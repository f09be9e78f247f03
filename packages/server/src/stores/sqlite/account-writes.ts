/** Writing operations of accounts. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { NewAccount } from '../../features/accounts/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { journalAppender } from './journal-writes.ts';

interface Target {
  readonly tenantId: TenantId;
  readonly id: AccountId;
  readonly nowMs: number;
}

/** Prepares the operations. */
export const accountWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const insert = database.prepare(
    `insert into account (id, tenant_id, email, email_key, password_hash, status, roles, created_at)
     values (?, ?, ?, ?, ?, 'active', ?, ?)
     on conflict (tenant_id, email_key) do nothing`,
  );
  const isSuspended = database.prepare("select 1 from tenant where id = ? and status = 'suspended'");
  const replaceHash = database.prepare(
    'update account set password_hash = ? where tenant_id = ? and id = ? and password_hash = ?',
  );
  const disable = database.prepare(
    `update account set status = 'disabled', epoch = epoch + 1
      where tenant_id = ? and id = ? and status = 'active' returning epoch`,
  );
  const enable = database.prepare(
    "update account set status = 'active' where tenant_id = ? and id = ? and status = 'disabled'",
  );
  const readEpoch = database.prepare('select epoch from account where tenant_id = ? and id = ?');
  const endSessions = database.prepare(
    `update session set ended_at = ?, end_reason = 'account_disabled'
      where tenant_id = ? and account_id = ? and ended_at is null`,
  );
  const audit = database.prepare('insert into audit (at, event, tenant_id, account_id) values (?, ?, ?, ?)');

  const create = (tenantId: TenantId, account: NewAccount, nowMs: number): AccountId | 'email_taken' => {
    const id = randomUUIDv7() as AccountId;
    const { email, emailKey, passwordHash, roles } = account;
    const { changes } = insert.run(id, tenantId, email, emailKey, passwordHash, JSON.stringify(roles), nowMs);
    return changes === 1 ? id : 'email_taken';
  };

  return {
    createAccount: (input: { tenantId: TenantId; account: NewAccount; nowMs: number }) =>
      isSuspended.get(input.tenantId) === undefined
        ? create(input.tenantId, input.account, input.nowMs)
        : ('tenant_suspended' as const),

    importAccounts: (input: { tenantId: TenantId; accounts: readonly NewAccount[]; nowMs: number }) => {
      if (isSuspended.get(input.tenantId) !== undefined) return 'tenant_suspended' as const;
      const created = input.accounts.filter(
        (account) => create(input.tenantId, account, input.nowMs) !== 'email_taken',
      );
      return { imported: created.length, existing: input.accounts.length - created.length };
    },

    upgradePasswordHash: (input: { tenantId: TenantId; id: AccountId; from: string; to: string }): boolean =>
      replaceHash.run(input.to, input.tenantId, input.id, input.from).changes === 1,

    disableAccount: ({ tenantId, id, nowMs }: Target): Recorded | undefined => {
      const disabled = disable.get(tenantId, id) as { epoch: number } | undefined;
      const reached = disabled ?? (readEpoch.get(tenantId, id) as { epoch: number } | undefined);
      if (reached === undefined) return undefined;
      endSessions.run(nowMs, tenantId, id);
      if (disabled !== undefined) audit.run(nowMs, 'user_updated', tenantId, id);
      return journal.append({ kind: 'account', key: id, epoch: reached.epoch });
    },

    enableAccount: ({ tenantId, id, nowMs }: Target): void => {
      if (enable.run(tenantId, id).changes === 1) audit.run(nowMs, 'user_updated', tenantId, id);
    },
  };
};
