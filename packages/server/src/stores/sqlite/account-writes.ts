/** Writing operations of accounts. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { NewAccount } from '../../features/accounts/store.ts';
import type { Origin } from '../../features/audit/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { unattributed } from '../audit-row.ts';
import { auditAppender } from './audit-writes.ts';
import { journalAppender } from './journal-writes.ts';

interface Target {
  readonly tenantId: TenantId;
  readonly id: AccountId;
  readonly nowMs: number;
  readonly by?: Origin | undefined;
}

interface Creation {
  readonly tenantId: TenantId;
  readonly nowMs: number;
  readonly by?: Origin | undefined;
}

interface HashUpgrade {
  readonly tenantId: TenantId;
  readonly id: AccountId;
  readonly from: string;
  readonly to: string;
  readonly by?: Origin | undefined;
}

/** Prepares the operations. */
export const accountWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
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

  const create = (
    { tenantId, nowMs, by = unattributed }: Creation,
    account: NewAccount,
    reason: 'registered' | 'imported',
  ): AccountId | 'email_taken' => {
    const id = randomUUIDv7() as AccountId;
    const { email, emailKey, passwordHash, roles } = account;
    const { changes } = insert.run(id, tenantId, email, emailKey, passwordHash, JSON.stringify(roles), nowMs);
    if (changes === 0) return 'email_taken';
    audit.append({ event: 'user_created', reason, atMs: nowMs, tenantId, accountId: id, by });
    return id;
  };

  return {
    createAccount: (input: Creation & { account: NewAccount }) =>
      isSuspended.get(input.tenantId) === undefined
        ? create(input, input.account, 'registered')
        : ('tenant_suspended' as const),

    importAccounts: (input: Creation & { accounts: readonly NewAccount[] }) => {
      if (isSuspended.get(input.tenantId) !== undefined) return 'tenant_suspended' as const;
      const created = input.accounts.filter((account) => create(input, account, 'imported') !== 'email_taken');
      return { imported: created.length, existing: input.accounts.length - created.length };
    },

    upgradePasswordHash: (input: HashUpgrade): boolean => {
      const { tenantId, id: accountId, from, to, by = unattributed } = input;
      if (replaceHash.run(to, tenantId, accountId, from).changes === 0) return false;
      audit.append({ event: 'user_updated', reason: 'hash_upgraded', atMs: Date.now(), tenantId, accountId, by });
      return true;
    },

    disableAccount: ({ tenantId, id, nowMs, by = unattributed }: Target): Recorded | undefined => {
      const disabled = disable.get(tenantId, id) as { epoch: number } | undefined;
      const reached = disabled ?? (readEpoch.get(tenantId, id) as { epoch: number } | undefined);
      if (reached === undefined) return undefined;
      endSessions.run(nowMs, tenantId, id);
      if (disabled !== undefined)
        audit.append({ event: 'user_updated', reason: 'disabled', atMs: nowMs, tenantId, accountId: id, by });
      return journal.append({ kind: 'account', key: id, epoch: reached.epoch });
    },

    enableAccount: ({ tenantId, id, nowMs, by = unattributed }: Target): void => {
      if (enable.run(tenantId, id).changes === 1)
        audit.append({ event: 'user_updated', reason: 'enabled', atMs: nowMs, tenantId, accountId: id, by });
    },
  };
};
