/** Accounts in PostgreSQL. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { Account, AccountCreation, AccountStore, NewAccount } from '../../features/accounts/store.ts';
import { sessionEnds } from '../../features/sessions/rules.ts';
import { appendAudit, originValue } from './audit-rows.ts';
import { appendEntry, type JournalRow, toRecorded } from './journal-rows.ts';
import { lockAccount } from './session-statements.ts';
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
const byId = statement('account_by_id', `select ${columns} from account where tenant_id = $1 and id = $2`);
const byEmail = statement('account_by_email', `select ${columns} from account where tenant_id = $1 and email_key = $2`);
const page = statement(
  'account_page',
  `select ${columns} from account
    where tenant_id = $1
      and email_key > case when $2::uuid is null then ''
                           else (select email_key from account where tenant_id = $1 and id = $2::uuid) end
    order by email_key limit $3`,
);
// Answers one row in any case: with the ids that were stored, and with the status of the tenant,
// which is the reason if none was.
const insertAs = (reason: 'registered' | 'imported') =>
  statement(
    `account_insert_${reason}`,
    `with stored as (
     insert into account (id, tenant_id, email, email_key, password_hash, status, roles, created_at)
     select n.id, t.id, n.email, n."emailKey", n."passwordHash", 'active', n.roles, $3::bigint
       from jsonb_to_recordset($1)
              as n (id uuid, email text, "emailKey" text, "formerKeys" text[], "passwordHash" text, roles text[])
       join tenant t on t.id = $2::uuid and t.status = 'active'
      where not exists (select from account a where a.tenant_id = t.id and a.email_key = any (n."formerKeys"))
     on conflict (tenant_id, email_key) do nothing
     returning id
   ), trace as (
     ${appendAudit({ event: 'user_created', reason, at: '$3', tenant: '$2', account: 'id', by: '$4' }, 'from stored')}
   )
   select status, array(select id from stored) as ids from tenant where id = $2`,
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
       from account a left join disabled d on true where a.tenant_id = $1 and a.id = $2
   ), ended as (
     update session set ended_at = $3, end_reason = 'account_disabled'
      where tenant_id = $1 and account_id = $2 and ended_at is null
   ), trace as (
     ${appendAudit(
       { ...sessionEnds.account_disabled, at: '$3', tenant: '$1', account: '$2', by: '$4' },
       'from disabled',
     )}
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'reached.epoch' }, 'from reached')}`,
);
const enable = statement(
  'account_enable',
  `with enabled as (
     update account set status = 'active'
      where tenant_id = $1 and id = $2 and status = 'disabled' returning id
   ) ${appendAudit(
     { event: 'user_updated', reason: 'enabled', at: '$3', tenant: '$1', account: 'id', by: '$4' },
     'from enabled',
   )}`,
);

/** @param run runs transactions */
export const postgresAccounts = (run: Run): AccountStore => {
  /** The ids of the new accounts; `undefined` when the tenant is suspended. */
  const store = async (
    insert: typeof insertRegistered,
    accounts: readonly NewAccount[],
    { tenantId, nowMs, by }: Omit<AccountCreation, 'account'>,
  ) => {
    const rows = accounts.map((account) => ({ ...account, id: randomUUIDv7() }));
    const [stored] = await run<StoredRow>(tenantId, insert(JSON.stringify(rows), tenantId, nowMs, originValue(by)));
    if (stored === undefined) throw new Error('Cannot store accounts: there is no such tenant');
    return stored.status === 'active' ? stored.ids : undefined;
  };
  const findWithPassword: AccountStore['findWithPassword'] = async (tenantId, id) => {
    const [row] = await run<AccountRow>(tenantId, byId(tenantId, id));
    return row === undefined ? undefined : { account: toAccount(row), passwordHash: row.password_hash };
  };
  return {
    create: async ({ account, ...creation }) => {
      const ids = await store(insertRegistered, [account], creation);
      return ids === undefined ? 'tenant_suspended' : (ids[0] ?? 'email_taken');
    },
    importMany: async ({ accounts, ...creation }) => {
      const ids = await store(insertImported, accounts, creation);
      if (ids === undefined) return 'tenant_suspended';
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
      return rows.length === 0 ? undefined : toRecorded(rows);
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
