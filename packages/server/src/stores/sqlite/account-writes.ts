/** Writing operations of accounts. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId } from '@catalytic/protocol/ids';
import { deletedEmailKey } from '../../features/accounts/rules.ts';
import type {
  AccountChange,
  AccountCreation,
  AccountImport,
  EmailChange,
  HashUpgrade,
  NewAccount,
  PasswordReset,
  RolesChange,
} from '../../features/accounts/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { sessionEnds } from '../../features/sessions/rules.ts';
import { admitsRegistration, type RegistrationMode } from '../../features/tenants/rules.ts';
import { auditAppender } from './audit-writes.ts';
import { sessionsEnder } from './ended-sessions.ts';
import { journalAppender } from './journal-writes.ts';

interface Epoch {
  readonly epoch: number;
}

/** Prepares the changes that an administrator makes to an account. */
const administratorWrites = (
  database: DatabaseSync,
  journal: ReturnType<typeof journalAppender>,
  audit: ReturnType<typeof auditAppender>,
) => {
  const endSessions = sessionsEnder(database);
  const setRoles = database.prepare(
    `update account set roles = :roles, epoch = epoch + 1
      where tenant_id = :tenant and id = :account and deleted_at is null and roles <> :roles returning epoch`,
  );
  const carrySessions = database.prepare(
    `update session set account_epoch = :epoch
      where tenant_id = :tenant and account_id = :account and ended_at is null and account_epoch = :epoch - 1`,
  );
  const readEpoch = database.prepare(
    'select epoch, deleted_at is not null as isDeleted from account where tenant_id = ? and id = ?',
  );
  const setEmail = database.prepare(
    `update account set email = :email, email_key = :key
      where tenant_id = :tenant and id = :account and deleted_at is null returning id`,
  );
  const findEmail = database.prepare(
    `select id from account
      where tenant_id = :tenant and id <> :account and email_key in (select value from json_each(:keys))`,
  );
  const setPassword = database.prepare(
    `update account set password_hash = ?, epoch = epoch + 1
      where tenant_id = ? and id = ? and deleted_at is null returning epoch`,
  );
  const erase = database.prepare(
    `update account set email = '', email_key = :key, password_hash = '', roles = '[]', status = 'disabled',
                        epoch = epoch + 1, deleted_at = :now
      where tenant_id = :tenant and id = :account and deleted_at is null returning epoch`,
  );
  const reached = ({ tenantId, accountId }: AccountChange): (Epoch & { readonly isDeleted: 0 | 1 }) | undefined =>
    readEpoch.get(tenantId, accountId) as (Epoch & { readonly isDeleted: 0 | 1 }) | undefined;

  return {
    changeRoles: (change: RolesChange): Recorded | undefined => {
      const { tenantId, accountId, roles, nowMs, by } = change;
      const whose = { tenant: tenantId, account: accountId };
      const changed = setRoles.get({ ...whose, roles: JSON.stringify(roles) }) as Epoch | undefined;
      const present = reached(change);
      if (present === undefined || present.isDeleted === 1) return undefined;
      const { epoch } = present;
      if (changed !== undefined) {
        carrySessions.run({ ...whose, epoch });
        audit.append({ event: 'user_updated', reason: 'roles_changed', atMs: nowMs, tenantId, accountId, by });
      }
      return journal.append({ kind: 'account', key: accountId, epoch, keepsSessions: true }, tenantId);
    },

    /** @returns whether another account has the email */
    changeEmail: ({ tenantId, accountId, email, emailKey, formerKeys, nowMs, by }: EmailChange): boolean => {
      const whose = { tenant: tenantId, account: accountId };
      if (findEmail.get({ ...whose, keys: JSON.stringify([emailKey, ...formerKeys]) }) !== undefined) return true;
      if (setEmail.get({ ...whose, email, key: emailKey }) !== undefined)
        audit.append({ event: 'user_updated', reason: 'email_changed', atMs: nowMs, tenantId, accountId, by });
      return false;
    },

    resetPassword: (reset: PasswordReset): Recorded | undefined => {
      const { tenantId, accountId, to, nowMs, by } = reset;
      const raised = setPassword.get(to, tenantId, accountId) as Epoch | undefined;
      if (raised === undefined) return undefined;
      endSessions(reset, 'password_changed', raised.epoch);
      audit.append({ event: 'user_updated', reason: 'password_reset', atMs: nowMs, tenantId, accountId, by });
      return journal.append({ kind: 'account', key: accountId, epoch: raised.epoch }, tenantId);
    },

    delete: (change: AccountChange): Recorded | undefined => {
      const { tenantId, accountId, nowMs, by } = change;
      const values = { tenant: tenantId, account: accountId, key: deletedEmailKey(accountId), now: nowMs };
      const erased = erase.get(values) as Epoch | undefined;
      const present = reached(change);
      if (present === undefined) return undefined;
      if (erased !== undefined) {
        endSessions(change, 'account_disabled', erased.epoch);
        audit.append({ event: 'user_deleted', reason: 'deleted', atMs: nowMs, tenantId, accountId, by });
      }
      return journal.append({ kind: 'account', key: accountId, epoch: present.epoch }, tenantId);
    },
  };
};

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
  const readRegistration = database.prepare('select registration from tenant where id = ?');
  const findInvitation = database.prepare(
    'select 1 from invitation where tenant_id = ? and hash = ? and expires_at > ?',
  );
  const useInvitation = database.prepare('delete from invitation where hash = ?');
  const replaceHash = database.prepare(
    'update account set password_hash = ? where tenant_id = ? and id = ? and password_hash = ?',
  );
  const disable = database.prepare(
    `update account set status = 'disabled', epoch = epoch + 1
      where tenant_id = ? and id = ? and status = 'active' returning epoch`,
  );
  const enable = database.prepare(
    `update account set status = 'active'
      where tenant_id = ? and id = ? and status = 'disabled' and deleted_at is null`,
  );
  const readEpoch = database.prepare('select epoch from account where tenant_id = ? and id = ? and deleted_at is null');
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
    ...administratorWrites(database, journal, audit),

    create: (creation: AccountCreation) => {
      const { tenantId, account, registration, nowMs } = creation;
      if (isSuspended.get(tenantId) !== undefined) return 'tenant_suspended' as const;
      if (registration === undefined) return insertAs('registered', creation, account);
      const hash = registration.invitationHash;
      const row = readRegistration.get(tenantId) as { registration: RegistrationMode } | undefined;
      const isInvited = hash !== null && findInvitation.get(tenantId, hash, nowMs) !== undefined;
      if (row === undefined || !admitsRegistration(row.registration, isInvited)) return 'registration_refused' as const;
      const id = insertAs('registered', creation, account);
      if (id !== 'email_taken' && row.registration === 'invited') useInvitation.run(hash);
      return id;
    },

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
      return journal.append({ kind: 'account', key: accountId, epoch: reached.epoch }, tenantId);
    },

    enable: ({ tenantId, accountId, nowMs, by }: AccountChange): void => {
      if (enable.run(tenantId, accountId).changes === 1)
        audit.append({ event: 'user_updated', reason: 'enabled', atMs: nowMs, tenantId, accountId, by });
    },
  };
};
