/** Writing operations of accounts. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId } from '@catalytic/protocol/ids';
import type {
  AccountChange,
  AccountCreation,
  AccountImport,
  HashUpgrade,
  NewAccount,
} from '../../features/accounts/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { sessionEnds } from '../../features/sessions/rules.ts';
import { auditAppender } from './audit-writes.ts';
import { journalAppender } from './journal-writes.ts';

/** Prepares the operations. */
export const accountWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const insert = database.prepare(
    `insert into account (id, tenant_id, email, email_key, password_hash, status, roles, created_at)
     select :id, :tenant, :email, :key, :hash, 'active', :roles, :now
      where not exists (select 1 from account where tenant_id = :tenant
                           and email_key in (select value from json_each(:formerKeys)))
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

  const insertAs = (
    reason: 'registered' | 'imported',
    { tenantId, nowMs, by }: Omit<AccountCreation, 'account'>,
    { email, emailKey, formerKeys = [], passwordHash, roles }: NewAccount,
  ): AccountId | 'email_taken' => {
    const id = randomUUIDv7() as AccountId;
    const { changes } = insert.run({
      id,
      tenant: tenantId,
      email,
      key: emailKey,
      hash: passwordHash,
      roles: JSON.stringify(roles),
      now: nowMs,
      formerKeys: JSON.stringify(formerKeys),
    });
    if (changes === 0) return 'email_taken';
    audit.append({ event: 'user_created', reason, atMs: nowMs, tenantId, accountId: id, by });
    return id;
  };

  return {
    create: (creation: AccountCreation) =>
      isSuspended.get(creation.tenantId) === undefined
        ? insertAs('registered', creation, creation.account)
        : ('tenant_suspended' as const),

    importMany: ({ accounts, ...creation }: AccountImport) => {
      if (isSuspended.get(creation.tenantId) !== undefined) return 'tenant_suspended' as const;
      const created = accounts.filter((account) => insertAs('imported', creation, account) !== 'email_taken');
      return { imported: created.length, existing: accounts.length - created.length };
    },

    upgradePasswordHash: ({ tenantId, accountId, from, to, nowMs, by }: HashUpgrade): boolean => {
      if (replaceHash.run(to, tenantId, accountId, from).changes === 0) return false;
      audit.append({ event: 'user_updated', reason: 'hash_upgraded', atMs: nowMs, tenantId, accountId, by });
      return true;
    },

    disable: ({ tenantId, accountId, nowMs, by }: AccountChange): Recorded | undefined => {
      const disabled = disable.get(tenantId, accountId) as { epoch: number } | undefined;
      const reached = disabled ?? (readEpoch.get(tenantId, accountId) as { epoch: number } | undefined);
      if (reached === undefined) return undefined;
      endSessions.run(nowMs, tenantId, accountId);
      if (disabled !== undefined)
        audit.append({ ...sessionEnds.account_disabled, atMs: nowMs, tenantId, accountId, by });
      return journal.append({ kind: 'account', key: accountId, epoch: reached.epoch });
    },

    enable: ({ tenantId, accountId, nowMs, by }: AccountChange): void => {
      if (enable.run(tenantId, accountId).changes === 1)
        audit.append({ event: 'user_updated', reason: 'enabled', atMs: nowMs, tenantId, accountId, by });
    },
  };
};
