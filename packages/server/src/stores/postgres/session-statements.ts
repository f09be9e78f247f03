/** Statements of sessions. @module */
import { clockSkewSeconds, newestIatAheadMs, newestIatAheadMsMin } from '@catalytic/protocol/journal';
import { displacedMax, type Standing, sessionEnds, sessionOpenings } from '../../features/sessions/rules.ts';
import { commonEndReasons, countUnended, displacedFirst, isInGoodStanding, isUnended } from '../session-sql.ts';
import { appendAudit } from './audit-rows.ts';
import { appendEntry, databaseMs, type JournalRow } from './journal-rows.ts';
import { statement } from './transactions.ts';

/**
 * Whether the clock of the caller is too far ahead of the database's to date or judge anything by
 * it.
 */
export interface Clocked {
  readonly isAhead: boolean;
}

/** What {@link open} answers; the epochs are null when nothing was opened. */
export interface OpenedRow extends Standing, Clocked {
  readonly roles: readonly string[];
  readonly accountEpoch: number | null;
  readonly tenantEpoch: number | null;
  /** Entries of the sessions that were too many; null: none was. */
  readonly displaced: readonly JournalRow[] | null;
}

/**
 * What {@link changePassword} answers; the epochs and the entry are null when nothing was changed.
 */
export interface PasswordChangedRow extends Omit<OpenedRow, 'displaced'> {
  readonly isAskingLive: boolean;
  readonly recorded: readonly JournalRow[] | null;
}

/** How many rows a statement changed. */
export interface CountRow {
  readonly rows: number;
}

/**
 * Whether a wall clock is so far ahead of the database's that no token may be dated by it, as SQL.
 * @param now SQL of that clock
 */
export const isAhead = (now: string): string => `${now} > ${databaseMs} + ${clockSkewSeconds * 1000}`;

/**
 * SQL that keeps the bound of the newest `iat` above the one that is given now.
 * @param from a common table with a row where one is given
 */
export const dated = (now: string, from: string): string =>
  `update deployment set newest_iat = ${now}::bigint + ${newestIatAheadMs}
    where newest_iat < ${now}::bigint + ${newestIatAheadMsMin} and exists (select 1 from ${from})`;

/** Columns of a new session, in the order of its values. */
const sessionColumns =
  'id, tenant_id, account_id, account_epoch, tenant_epoch, amr, authenticated_at, created_at, expires_at';

/** Columns that name a session, for the audit trail. */
export const ofSession = { tenant: 'tenant_id', account: 'account_id', session: 'id' } as const;
const ofAccount = { tenant: 'tenant_id', account: 'id' } as const;
/** Of a statement whose third parameter is the session that asks. */
const asking = { ...ofAccount, session: '$3' } as const;

/**
 * Authorises a sign-in: account, tenant, password and epochs are checked and copied in one
 * statement, which also ends the sessions that are too many then (`displacedCount` of the rules, in
 * SQL). The others are looked at only where the limit is reached. It locks the account as the foreign
 * key would, only earlier: a change of rights that is under way is waited for, and its epoch copied.
 */
export const open = statement(
  'session_open',
  `with opened as (
     insert into session (${sessionColumns})
     select $1::uuid, a.tenant_id, a.id, a.epoch, t.epoch, $5::text[],
            $6::bigint, $6::bigint, $7::bigint
       from account a join tenant t on t.id = a.tenant_id
      where a.tenant_id = $2 and a.id = $3 and a.password_hash = $4
        and ($11::text is null or a.email = $11) and ${isInGoodStanding} and not ${isAhead('$6')}
        for key share of a
     returning id, tenant_id, account_id, account_epoch, tenant_epoch
   ), dated as (
     ${dated('$6', 'opened')}
   ), opening as (
     ${appendAudit({ ...sessionOpenings.password, at: '$6', ...ofSession, by: '$10' }, 'from opened')}
   ), token as (
     insert into refresh_token (hash, tenant_id, session_id, expires_at)
     select $8::bytea, tenant_id, id, $7::bigint from opened
   ), others as materialized (
     ${countUnended('$2', '$3', '$9::integer')}
   ), excess as (
     select s.id
       from session s join opened o on true
      where (select sessions from others) >= $9::integer
        and s.tenant_id = $2 and s.account_id = $3 and s.ended_at is null
      order by ${displacedFirst('$6', 'o.account_epoch', 'o.tenant_epoch')}
      limit greatest(0, least(${displacedMax}, (select sessions from others) + 1 - $9::integer))
   ), ended as (
     update session s set ended_at = $6, end_reason = 'limit'
       from excess where s.id = excess.id and s.ended_at is null
     returning s.id, s.tenant_id, s.account_id
   ), trace as (
     ${appendAudit({ ...sessionEnds.limit, at: '$6', ...ofSession, by: '$10' }, 'from ended')}
   ), displaced as (
     ${appendEntry({ kind: 'session', key: 'ended.id', epoch: 'null', tenant: 'ended.tenant_id' }, 'from ended')}
   )
   select a.status as "accountStatus", t.status as "tenantStatus", a.roles,
          o.account_epoch as "accountEpoch", o.tenant_epoch as "tenantEpoch",
          (select json_agg(displaced) from displaced) as displaced, ${isAhead('$6')} as "isAhead"
     from account a join tenant t on t.id = a.tenant_id left join opened o on true
    where a.tenant_id = $2 and a.id = $3`,
);

/** Live sessions, newest first: ids begin with the time. */
export const list = statement(
  'session_list',
  `select s.id, s.created_at as "createdAtMs", s.authenticated_at as "authenticatedAtMs",
          s.expires_at as "expiresAtMs"
     from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
    where s.tenant_id = $1 and s.account_id = $2 and s.id < $3 and s.expires_at > $4 and ${isUnended}
    order by s.id desc limit $5`,
);

/** Ends one session and journals it; journals it again when it has ended already. */
export const end = statement(
  'session_end',
  `with ended as (
     update session set ended_at = $3, end_reason = 'logout'
      where tenant_id = $1 and id = $2 and ended_at is null
     returning id, tenant_id, account_id
   ), trace as (
     ${appendAudit({ ...sessionEnds.logout, at: '$3', ...ofSession, by: '$4' }, 'from ended')}
   ) ${appendEntry({ kind: 'session', key: '$2::uuid', epoch: 'null', tenant: '$1' })}`,
);

/** As {@link end}, for the session of a refresh token. No row: the token is not known. */
export const endByToken = statement(
  'session_end_by_token',
  `with presented as (
     select tenant_id, session_id from refresh_token where hash = $1
   ), ended as (
     update session s set ended_at = $2, end_reason = 'logout'
       from presented p where s.id = p.session_id and s.ended_at is null
     returning s.id, s.tenant_id, s.account_id
   ), trace as (
     ${appendAudit({ ...sessionEnds.logout, at: '$2', ...ofSession, by: '$3' }, 'from ended')}
   ) ${appendEntry({ kind: 'session', key: 'p.session_id', epoch: 'null', tenant: 'p.tenant_id' }, 'from presented p')}`,
);

/** Makes others that end all sessions of an account wait; new sessions do not wait for it. */
export const lockAccount = statement(
  'session_lock_account',
  'select 1 from account where tenant_id = $1 and id = $2 for no key update',
);

/**
 * Makes new sessions wait as well: the next statement sees all that were opened before, and those
 * opened later see what it has changed.
 */
export const lockAccountAndSessions = statement(
  'session_lock_account_and_sessions',
  'select 1 from account where tenant_id = $1 and id = $2 for update',
);

/**
 * Ends all sessions of a locked account, raising its epoch at most once; a repeat leaves alone the
 * sessions that were opened since. A living session has the epoch of its account, so the epoch that
 * ended it is the next one. No row: the asking session may not.
 */
export const endAll = statement(
  'session_end_all',
  `with raised as (
     update account a set epoch = a.epoch + 1
      where a.tenant_id = $1 and a.id = $2
        and exists (select 1 from session s
                     where s.id = $3 and s.account_id = a.id and s.ended_at is null and s.account_epoch = a.epoch)
     returning a.epoch, a.id, a.tenant_id
   ), trace as (
     ${appendAudit({ ...sessionEnds.logout_all, at: '$4', ...asking, by: '$5' }, 'from raised')}
   ), reached as (
     select coalesce(r.epoch, s.account_epoch + 1) as epoch
       from session s left join raised r on true
      where s.tenant_id = $1 and s.account_id = $2 and s.id = $3
        and (r.epoch is not null or s.end_reason in (${commonEndReasons}))
   ), ended as (
     update session s set ended_at = $4, end_reason = 'logout_all'
       from reached
      where s.tenant_id = $1 and s.account_id = $2
        and s.ended_at is null and s.account_epoch < reached.epoch
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'reached.epoch', tenant: '$1' }, 'from reached')}`,
);

/**
 * Ends a session of this account and journals it; journals it again when it has ended already. No
 * row: the account has no such session.
 */
export const endOwn = statement(
  'session_end_own',
  `with own as (
     select id from session where tenant_id = $1 and account_id = $2 and id = $3
   ), ended as (
     update session s set ended_at = $4, end_reason = 'revoked'
       from own where s.id = own.id and s.ended_at is null returning s.id, s.tenant_id, s.account_id
   ), trace as (
     ${appendAudit({ ...sessionEnds.revoked, at: '$4', ...ofSession, subject: '$6', by: '$5' }, 'from ended')}
   ) ${appendEntry({ kind: 'session', key: 'own.id', epoch: 'null', tenant: '$1' }, 'from own')}`,
);

/**
 * Changes the password of a locked account if hash, account, tenant and asking session are all as
 * they must be; every session ends, and a new one begins.
 */
export const changePassword = statement(
  'session_change_password',
  `with changed as (
     update account a set password_hash = $5, epoch = a.epoch + 1
       from tenant t, session s
      where a.tenant_id = $1 and a.id = $2 and a.password_hash = $4 and t.id = a.tenant_id
        and s.id = $3 and s.account_id = a.id and ${isUnended} and ${isInGoodStanding} and not ${isAhead('$6')}
     returning a.id, a.tenant_id, a.epoch as account_epoch, t.epoch as tenant_epoch
   ), dated as (
     ${dated('$6', 'changed')}
   ), ended as (
     update session s set ended_at = $6, end_reason = 'password_changed'
       from changed c
      where s.tenant_id = $1 and s.account_id = $2
        and s.ended_at is null and s.account_epoch < c.account_epoch
   ), opened as (
     insert into session (${sessionColumns})
     select $7::uuid, tenant_id, id, account_epoch, tenant_epoch, $8::text[],
            $6::bigint, $6::bigint, $9::bigint
       from changed
   ), token as (
     insert into refresh_token (hash, tenant_id, session_id, expires_at)
     select $10::bytea, tenant_id, $7::uuid, $9::bigint from changed
   ), trace as (
     ${appendAudit({ ...sessionEnds.password_changed, at: '$6', ...asking, by: '$11' }, 'from changed')}
   ), opening as (
     ${appendAudit({ ...sessionOpenings.password_change, at: '$6', ...ofAccount, session: '$7', by: '$11' }, 'from changed')}
   ), recorded as (
     ${appendEntry(
       { kind: 'account', key: 'changed.id', epoch: 'changed.account_epoch', tenant: 'changed.tenant_id' },
       'from changed',
     )}
   )
   select a.status as "accountStatus", t.status as "tenantStatus", a.roles,
          c.account_epoch as "accountEpoch", c.tenant_epoch as "tenantEpoch",
          exists (select 1 from session s
                   where s.id = $3 and s.account_id = a.id and ${isUnended}) as "isAskingLive",
          (select json_agg(recorded) from recorded) as recorded, ${isAhead('$6')} as "isAhead"
     from account a join tenant t on t.id = a.tenant_id left join changed c on true
    where a.tenant_id = $1 and a.id = $2`,
);

/**
 * Ends all sessions of an account unconditionally. The update waits for its turn and raises what it
 * finds then. No row: there is no such account.
 */
export const signOut = statement(
  'session_sign_out',
  `with raised as (
     update account set epoch = epoch + 1 where tenant_id = $1 and id = $2
     returning epoch, id, tenant_id
   ), ended as (
     update session s set ended_at = $3, end_reason = 'signed_out'
       from raised
      where s.tenant_id = $1 and s.account_id = $2
        and s.ended_at is null and s.account_epoch < raised.epoch
   ), trace as (
     ${appendAudit({ ...sessionEnds.signed_out, at: '$3', ...ofAccount, by: '$4' }, 'from raised')}
   ) ${appendEntry({ kind: 'account', key: '$2::uuid', epoch: 'raised.epoch', tenant: '$1' }, 'from raised')}`,
);

/** Deletes old sessions and, through the foreign key, their tokens. */
export const purge = statement(
  'session_purge',
  `with old as (
     select id from session where expires_at < least($1::bigint, ${databaseMs}) - $2::bigint
      order by expires_at limit $3 for update skip locked
   ), purged as (
     delete from session s using old where s.id = old.id returning 1
   ) select count(*)::integer as rows from purged`,
);
