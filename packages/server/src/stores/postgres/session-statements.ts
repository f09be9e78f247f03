/** Statements of sessions and refresh tokens. @module */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import { appendEntry } from './journal-rows.ts';
import { statement } from './transactions.ts';

/** What a token is minted from. */
export interface GrantRow {
  readonly tenant_id: TenantId;
  readonly account_id: AccountId;
  readonly session_id: SessionId;
  readonly account_epoch: number;
  readonly tenant_epoch: number;
  readonly roles: readonly string[];
  readonly amr: readonly string[];
  readonly authenticated_at: number;
}

/** A refresh token with everything that decides about it. */
export interface TokenRow extends GrantRow {
  readonly expires_at: number;
  readonly used_at: number | null;
  readonly successor_box: Uint8Array | null;
  readonly successor_used_at: number | null;
  readonly ended_at: number | null;
  readonly account_status: string;
  readonly tenant_status: string;
  readonly current_account_epoch: number;
  readonly current_tenant_epoch: number;
}

/** What {@link open} answers; the epochs are null when nothing was opened. */
export interface OpenedRow {
  readonly account_status: string;
  readonly tenant_status: string;
  readonly roles: readonly string[];
  readonly account_epoch: number | null;
  readonly tenant_epoch: number | null;
}

/** How many rows a statement changed. */
export interface CountRow {
  readonly rows: number;
}

/** Authorises a sign-in: account, tenant, password and epochs are checked and copied in one statement. */
export const open = statement(
  'session_open',
  `with opened as (
     insert into session (id, tenant_id, account_id, account_epoch, tenant_epoch, amr, authenticated_at, created_at, expires_at)
     select $1::uuid, a.tenant_id, a.id, a.epoch, t.epoch, $5::text[], $6::bigint, $6::bigint, $7::bigint
       from account a join tenant t on t.id = a.tenant_id
      where a.tenant_id = $2 and a.id = $3 and a.password_hash = $4 and a.status = 'active' and t.status = 'active'
     returning id, tenant_id, account_epoch, tenant_epoch
   ), token as (
     insert into refresh_token (hash, tenant_id, session_id, expires_at)
     select $8::bytea, tenant_id, id, $7::bigint from opened
   )
   select a.status as account_status, t.status as tenant_status, a.roles, o.account_epoch, o.tenant_epoch
     from account a join tenant t on t.id = a.tenant_id left join opened o on true
    where a.tenant_id = $2 and a.id = $3`,
);

/** Rotates: uses the token up only if token, session, account, tenant and epochs are all as they must be. No row: it was not. */
export const useToken = statement(
  'session_use_token',
  `with used as (
     update refresh_token r set used_at = $4, successor_hash = $2, successor_box = $3
       from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where r.hash = $1 and r.used_at is null and r.expires_at > $4
        and s.id = r.session_id and s.ended_at is null
        and a.status = 'active' and s.account_epoch = a.epoch
        and t.status = 'active' and s.tenant_epoch = t.epoch
     returning r.tenant_id, r.session_id, s.account_id, s.account_epoch, s.tenant_epoch, a.roles, s.amr, s.authenticated_at
   ), successor as (
     insert into refresh_token (hash, tenant_id, session_id, expires_at)
     select $2, tenant_id, session_id, $5::bigint from used
   ), extended as (
     update session s set expires_at = $5 from used where s.id = used.session_id
   )
   select * from used`,
);

/** A refresh token with everything that decides about it. */
export const findToken = statement(
  'session_find_token',
  `select r.tenant_id, r.session_id, s.account_id, s.account_epoch, s.tenant_epoch, s.amr, s.authenticated_at, s.ended_at,
          a.roles, a.status as account_status, a.epoch as current_account_epoch,
          t.status as tenant_status, t.epoch as current_tenant_epoch,
          r.expires_at, r.used_at, r.successor_box, n.used_at as successor_used_at
     from refresh_token r
     join session s on s.id = r.session_id
     join account a on a.id = s.account_id
     join tenant t on t.id = s.tenant_id
     left join refresh_token n on n.hash = r.successor_hash
    where r.hash = $1`,
);

/** Ends one session and journals it; journals it again when it has ended already. */
export const end = statement(
  'session_end',
  `with ended as (
     update session set ended_at = $3, end_reason = 'logout' where tenant_id = $1 and id = $2 and ended_at is null
   ) ${appendEntry({ id: '$4', kind: 'session', key: '$2::uuid', epoch: 'null' })}`,
);

/** Ends the session of a refresh token that was used twice. */
export const endStolen = statement(
  'session_end_stolen',
  `with ended as (
     update session set ended_at = $3, end_reason = 'refresh_reused' where tenant_id = $1 and id = $2 and ended_at is null
   ), trace as (
     insert into audit (at, event, tenant_id, account_id, session_id) values ($3, 'authn_token_reuse', $1, $5, $2)
   ) ${appendEntry({ id: '$4', kind: 'session', key: '$2::uuid', epoch: 'null' })}`,
);

/** Makes others that end all sessions of an account wait; new sessions do not wait for it. */
export const lockAccount = statement(
  'session_lock_account',
  'select 1 from account where tenant_id = $1 and id = $2 for no key update',
);

/**
 * Ends all sessions of a locked account, raising its epoch at most once; a repeat leaves alone who has signed in again since. No row: the
 * asking session may not.
 */
export const endAll = statement(
  'session_end_all',
  `with raised as (
     update account a set epoch = a.epoch + 1
      where a.tenant_id = $1 and a.id = $2 and a.epoch = $4
        and exists (select 1 from session s where s.id = $3 and s.account_id = a.id and s.ended_at is null)
     returning a.epoch
   ), reached as (
     select coalesce(r.epoch, a.epoch) as epoch
       from account a left join raised r on true
      where a.tenant_id = $1 and a.id = $2 and coalesce(r.epoch, a.epoch) > $4
   ), ended as (
     update session s set ended_at = $5, end_reason = 'logout_all'
       from reached
      where s.tenant_id = $1 and s.account_id = $2 and s.ended_at is null and s.account_epoch < reached.epoch
   ) ${appendEntry({ id: '$6', kind: 'account', key: '$2::uuid', epoch: 'reached.epoch' }, 'from reached')}`,
);

/** Most successors forgotten in one transaction. */
export const forgottenMax = 1000;

/** Forgets sealed successors; rows that a rotation holds wait for the next round. */
export const forgetBoxes = statement(
  'session_forget_boxes',
  `with old as (
     select hash from refresh_token where successor_box is not null and used_at < $1
      limit ${forgottenMax} for no key update skip locked
   ), forgotten as (
     update refresh_token r set successor_box = null from old where r.hash = old.hash returning 1
   ) select count(*)::integer as rows from forgotten`,
);

/** Deletes old sessions and, through the foreign key, their tokens. */
export const purge = statement(
  'session_purge',
  `with old as (
     select id from session where expires_at < $1 order by expires_at limit $2 for update skip locked
   ), purged as (
     delete from session s using old where s.id = old.id returning 1
   ) select count(*)::integer as rows from purged`,
);
