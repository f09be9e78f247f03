/** Accounts in PostgreSQL. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import { deletedEmailKey } from '../../features/accounts/rules.ts';
import type { Account, AccountCreation, AccountStore, NewAccount } from '../../features/accounts/store.ts';
import { sessionEnds } from '../../features/sessions/rules.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { appendEntry, type JournalRow, toRecordedIfAny } from './journal-rows.ts';
import { lockAccount, lockAccountAndSessions } from './session-statements.ts';
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

interface StoredRow {
  readonly status: string;
  /** Whether the tenant admits it, as the statement saw it. */
  readonly is_admitted: boolean;
  readonly ids: readonly AccountId[];
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
const byId = statement(
  'account_by_id',
  `select ${columns} from account where tenant_id = $1 and id = $2 and deleted_at is null`,
);
const byEmail = statement(
  'account_by_email',
  `select ${columns} from account where tenant_id = $1 and email_key = $2 and deleted_at is null`,
);
const page = statement(
  'account_page',
  `select ${columns} from account
    where tenant_id = $1 and deleted_at is null
      and email_key > case when $2::uuid is null then ''
                           else (select email_key from account where tenant_id = $1 and id = $2::uuid) end
    order by email_key limit $3`,
);
// `admitsRegistration` of the rules of tenants. An administrator's call passes false for $5.
const isAdmitted = `(not $5::boolean or t.registration = 'open' or (t.registration = 'invited' and exists (
  select from invitation i where i.tenant_id = t.id and i.hash = $6::bytea and i.expires_at > $3::bigint)))`;
// Of two registrations with one invitation the second waits here, and then finds it used up.
const lockInvitation = statement('account_lock_invitation', 'select 1 from invitation where hash = $1 for update');
// Answers one row in any case: with the ids that were stored, and with the status of the tenant and
// whether it admits them, which are the reasons if none was.
const insertAs = (reason: 'registered' | 'imported') =>
  statement(
    `account_insert_${reason}`,
    `with stored as (
     insert into account (id, tenant_id, email, email_key, password_hash, status, roles, created_at)
     select n.id, t.id, n.email, n."emailKey", n."passwordHash", 'active', n.roles, $3::bigint
       from jsonb_to_recordset($1)
              as n (id uuid, email text, "emailKey" text, "formerKeys" text[], "passwordHash" text, roles text[])
       join tenant t on t.id = $2::uuid and t.status = 'active' and ${isAdmitted}
      where not exists (select from account a where a.tenant_id = t.id and a.email_key = any (n."formerKeys"))
     on conflict (tenant_id, email_key) do nothing
     returning id
   ), trace as (
     ${appendAudit({ event: 'user_created', reason, at: '$3', tenant: '$2', account: 'id', by: '$4' }, 'from stored')}
   )
   , used as (
     delete from invitation i using stored, tenant t
      where i.hash = $6::bytea and t.id = $2 and t.registration = 'invited' and $5::boolean
   )
   select status, ${isAdmitted} as is_admitted, array(select id from stored) as ids from tenant t where id = $2`,
  );
const [insertRegistered, insertImported] = [insertAs('registered'), insertAs('imported')];
const replaceHash = statement(
  'account_replace_hash',
  `with replaced as (
     update account set password_hash = $4
      where tenant_id = $1::uuid and id = $2 and password_hash = $3 returning id
   ), trace as (
     ${appendAudit(
       { event: 'user_updated', reason: 'hash_upgraded', at: '$5', tenant: '$1', account: 'id', by: '$6' },
       'from replaced',
     )}
   ) select id from replaced`,
);

const disable = statement(
  'account_disable',
  `with disabled as (
     update account set status = 'disabled', epoch = epoch + 1
      where tenant_id = $1 and id = $2 and status = 'active' returning epoch
   ), reached as (
     select coalesce(d.epoch, a.epoch) as epoch
       from account a left join disabled d on true
      where a.tenant_id = $1 and a.id = $2 and a.deleted_at is null
   ), ended as (
     update session set ended_at = $3, end_reason = 'account_disabled'
      where tenant_id = $1 and account_id = $2 and ended_at is null
   ), trace as (
     ${appendAudit(
       { ...sessionEnds.account_disabled, at: '$3', tenant: '$1', account: '$2', by: '$4' },
       'from disabled',
     )}
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'reached.epoch', tenant: '$1' }, 'from reached')}`,
);
const enable = statement(
  'account_enable',
  `with enabled as (
     update account set status = 'active'
      where tenant_id = $1 and id = $2 and status = 'disabled' and deleted_at is null returning id
   ) ${appendAudit(
     { event: 'user_updated', reason: 'enabled', at: '$3', tenant: '$1', account: 'id', by: '$4' },
     'from enabled',
   )}`,
);

// Only sessions of the epoch before are carried along: one of an earlier epoch has ended already.
const changeRoles = statement(
  'account_change_roles',
  `with changed as (
     update account set roles = $3::text[], epoch = epoch + 1
      where tenant_id = $1 and id = $2 and deleted_at is null and roles <> $3::text[]
     returning id, tenant_id, epoch
   ), reached as (
     select coalesce(c.epoch, a.epoch) as epoch
       from account a left join changed c on true where a.tenant_id = $1 and a.id = $2 and a.deleted_at is null
   ), carried as (
     update session s set account_epoch = changed.epoch
       from changed
      where s.tenant_id = $1 and s.account_id = $2 and s.ended_at is null and s.account_epoch = changed.epoch - 1
   ), trace as (
     ${appendAudit({ event: 'user_updated', reason: 'roles_changed', at: '$4', tenant: '$1', account: 'id', by: '$5' }, 'from changed')}
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'reached.epoch', tenant: '$1', keepsSessions: true }, 'from reached')}`,
);
const changeEmail = statement(
  'account_change_email',
  `with taken as (
     select 1 from account where tenant_id = $1::uuid and id <> $2 and email_key = any ($7::text[])
   ), changed as (
     update account set email = $3, email_key = $4
      where tenant_id = $1::uuid and id = $2 and deleted_at is null and not exists (select 1 from taken)
     returning id, tenant_id, email, status, roles, created_at, password_hash
   ), trace as (
     ${appendAudit({ event: 'user_updated', reason: 'email_changed', at: '$5', tenant: '$1', account: 'id', by: '$6' }, 'from changed')}
   ) select changed.*, exists (select 1 from taken) as is_taken from (values (1)) one left join changed on true`,
);
const resetPassword = statement(
  'account_reset_password',
  `with raised as (
     update account set password_hash = $3, epoch = epoch + 1
      where tenant_id = $1 and id = $2 and deleted_at is null returning id, epoch
   ), ended as (
     update session s set ended_at = $4, end_reason = 'password_changed'
       from raised
      where s.tenant_id = $1 and s.account_id = $2 and s.ended_at is null and s.account_epoch < raised.epoch
   ), trace as (
     ${appendAudit({ event: 'user_updated', reason: 'password_reset', at: '$4', tenant: '$1', account: 'id', by: '$5' }, 'from raised')}
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'raised.epoch', tenant: '$1' }, 'from raised')}`,
);
const erase = statement(
  'account_erase',
  `with erased as (
     update account
        set email = '', email_key = $3, password_hash = '', roles = '{}', status = 'disabled',
            epoch = epoch + 1, deleted_at = $4
      where tenant_id = $1 and id = $2 and deleted_at is null returning id, epoch
   ), reached as (
     select coalesce(e.epoch, a.epoch) as epoch
       from account a left join erased e on true where a.tenant_id = $1 and a.id = $2
   ), ended as (
     update session set ended_at = $4, end_reason = 'account_disabled'
      where tenant_id = $1 and account_id = $2 and ended_at is null and exists (select 1 from erased)
   ), trace as (
     ${appendAudit({ event: 'user_deleted', reason: 'deleted', at: '$4', tenant: '$1', account: 'id', by: '$5' }, 'from erased')}
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'reached.epoch', tenant: '$1' }, 'from reached')}`,
);

/** PostgreSQL's code of a value that must be unique and is not. */
const uniqueViolation = '23505';

/** The changes that an administrator makes to an account. */
const administratorChanges = (
  run: Run,
): Pick<AccountStore, 'changeRoles' | 'changeEmail' | 'resetPassword' | 'delete'> => {
  return {
    // Locked first against new sessions: those opened before are carried along, those opened later
    // begin under the new epoch.
    changeRoles: async ({ tenantId, accountId, roles, nowMs, by }) =>
      toRecordedIfAny(
        await run<JournalRow>(
          tenantId,
          lockAccountAndSessions(tenantId, accountId),
          changeRoles(tenantId, accountId, roles, nowMs, originValue(by)),
        ),
      ),
    changeEmail: async ({ tenantId, accountId, email, emailKey, formerKeys, nowMs, by }) => {
      const change = changeEmail(tenantId, accountId, email, emailKey, nowMs, originValue(by), formerKeys);
      try {
        const [row] = await run<Partial<AccountRow> & { readonly is_taken: boolean }>(tenantId, change);
        if (row?.is_taken) return 'email_taken';
        return row?.id ? toAccount(row as AccountRow) : undefined;
      } catch (error) {
        if ((error as { code?: unknown }).code === uniqueViolation) return 'email_taken';
        throw error;
      }
    },
    resetPassword: async ({ tenantId, accountId, to, nowMs, by }) =>
      toRecordedIfAny(
        await run<JournalRow>(
          tenantId,
          lockAccount(tenantId, accountId),
          resetPassword(tenantId, accountId, to, nowMs, originValue(by)),
        ),
      ),
    delete: async ({ tenantId, accountId, nowMs, by }) =>
      toRecordedIfAny(
        await run<JournalRow>(
          tenantId,
          lockAccountAndSessions(tenantId, accountId),
          erase(tenantId, accountId, deletedEmailKey(accountId), nowMs, originValue(by)),
        ),
      ),
  };
};

/** @param run runs transactions */
export const postgresAccounts = (run: Run): AccountStore => {
  /** The ids of the new accounts, or why there are none. */
  const store = async (
    insert: typeof insertRegistered,
    accounts: readonly NewAccount[],
    { tenantId, registration, nowMs, by }: Omit<AccountCreation, 'account'>,
  ): Promise<readonly AccountId[] | 'tenant_suspended' | 'registration_refused'> => {
    const rows = JSON.stringify(accounts.map((account) => ({ ...account, id: randomUUIDv7() })));
    const invitationHash = registration?.invitationHash ?? null;
    const [stored] = await run<StoredRow>(
      tenantId,
      ...(invitationHash === null ? [] : [lockInvitation(invitationHash)]),
      insert(rows, tenantId, nowMs, originValue(by), registration !== undefined, invitationHash),
    );
    if (stored === undefined) throw new Error('Cannot store accounts: there is no such tenant');
    if (stored.status !== 'active') return 'tenant_suspended';
    return stored.is_admitted ? stored.ids : 'registration_refused';
  };
  const findWithPassword: AccountStore['findWithPassword'] = async (tenantId, id) => {
    const [row] = await run<AccountRow>(tenantId, byId(tenantId, id));
    return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
  };
  return {
    ...administratorChanges(run),
    create: async ({ account, ...creation }) => {
      const ids = await store(insertRegistered, [account], creation);
      return typeof ids === 'string' ? ids : (ids[0] ?? 'email_taken');
    },
    importMany: async ({ accounts, ...creation }) => {
      const ids = await store(insertImported, accounts, creation);
      if (typeof ids === 'string') return 'tenant_suspended';
      return { imported: ids.length, existing: accounts.length - ids.length };
    },
    findWithPassword,
    list: async ({ tenantId, after, rowsMax }) =>
      (await run<AccountRow>(tenantId, page(tenantId, after ?? null, rowsMax))).map(toAccount),
    disable: async ({ tenantId, accountId, nowMs, by }) => {
      // Locked first, so that a repeat journals the epoch that the first call has raised.
      const rows = await run<JournalRow>(
        tenantId,
        lockAccount(tenantId, accountId),
        disable(tenantId, accountId, nowMs, originValue(by)),
      );
      return toRecordedIfAny(rows);
    },
    enable: async ({ tenantId, accountId, nowMs, by }) => {
      const [row] = await run<AccountRow>(
        tenantId,
        enable(tenantId, accountId, nowMs, originValue(by)),
        byId(tenantId, accountId),
      );
      return row === undefined ? undefined : toAccount(row);
    },
    find: async (tenantId, id) => {
      const [row] = await run<AccountRow>(tenantId, byId(tenantId, id));
      return row === undefined ? undefined : toAccount(row);
    },
    findForLogin: async (tenantId, emailKey) => {
      const [row] = await run<AccountRow>(tenantId, byEmail(tenantId, emailKey));
      return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
    },
    upgradePasswordHash: async ({ tenantId, accountId, from, to, nowMs, by }) =>
      (await run(tenantId, replaceHash(tenantId, accountId, from, to, nowMs, originValue(by)))).length === 1,
  };
};
