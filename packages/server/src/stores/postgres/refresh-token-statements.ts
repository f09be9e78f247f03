/** Statements of refresh tokens. @module */
import { lostAnswer, type PresentedToken, type Theft, thefts, usedTokensMax } from '../../features/sessions/rules.ts';
import type { Grant } from '../../features/sessions/store.ts';
import { isInGoodStanding, isUnended, successorOf } from '../session-sql.ts';
import { appendAudit } from './audit-rows.ts';
import { appendEntry, databaseMs } from './journal-rows.ts';
import { type Clocked, dated, isAhead, ofSession } from './session-statements.ts';
import { statement } from './transactions.ts';

/** What {@link findToken} finds. */
export type TokenRow = PresentedToken & Grant & Clocked & { readonly successorHash: Uint8Array | null };

/** What an access token is minted from: {@link Grant}. */
const grantColumns = `tenant_id as "tenantId", account_id as "accountId", session_id as "sessionId",
          account_epoch as "accountEpoch", tenant_epoch as "tenantEpoch", roles, amr, authenticated_at as "authenticatedAtMs"`;

/** Parts of a statement that stores the successor of a token that `used` has used up. */
const storeSuccessor = `
   successor as (
     insert into refresh_token (hash, tenant_id, session_id, expires_at, number)
     select $2, tenant_id, session_id, $5::bigint, number + 1 from used
   ), trimmed as (
     delete from refresh_token r using used
      where r.session_id = used.session_id and r.number <= used.number - ${usedTokensMax}
   ), extended as (
     update session s set expires_at = $5 from used where s.id = used.session_id
   ), dated as (
     ${dated('$4', 'used')}
   )`;

/**
 * Rotates: uses the token up only if token, session, account, tenant and epochs are all as they
 * must be. No row: it was not.
 */
export const useToken = statement(
  'session_use_token',
  `with used as (
     update refresh_token r set used_at = $4, successor_hash = $2, successor_box = $3
       from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where r.hash = $1 and r.used_at is null and r.expires_at > $4 and not ${isAhead('$4')}
        and s.id = r.session_id and ${isUnended} and ${isInGoodStanding}
     returning r.tenant_id, s.account_id, r.session_id, s.account_epoch, s.tenant_epoch,
               a.roles, s.amr, s.authenticated_at, r.number
   ), ${storeSuccessor}
   select ${grantColumns} from used`,
);

/**
 * Gives a used token another successor, if its successor is still the one that was judged ($7),
 * and unused. That one is used up first, so that of a simultaneous use of it and simultaneous
 * reissues exactly one succeeds. No row: nothing was changed.
 */
export const reissue = statement(
  'session_reissue',
  `with used as (
     update refresh_token n set used_at = $4
       from refresh_token r join session s on s.id = r.session_id
            join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where r.hash = $1 and r.expires_at > $4 and not ${isAhead('$4')}
        and r.successor_hash = $7 and n.hash = r.successor_hash and n.used_at is null
        and ${isUnended} and ${isInGoodStanding}
     returning n.tenant_id, s.account_id, n.session_id, s.account_epoch, s.tenant_epoch,
               a.roles, s.amr, s.authenticated_at, n.number
   ), replaced as (
     update refresh_token r set used_at = $4, successor_hash = $2, successor_box = $3 from used where r.hash = $1
   ), trace as (
     ${appendAudit({ ...lostAnswer, at: '$4', tenant: 'tenant_id', account: 'account_id', session: 'session_id', by: '$6' }, 'from used')}
   ), ${storeSuccessor}
   select ${grantColumns} from used`,
);

/** A refresh token with everything that decides about it. */
export const findToken = statement(
  'session_find_token',
  `select r.tenant_id as "tenantId", s.account_id as "accountId", r.session_id as "sessionId",
          s.account_epoch as "accountEpoch", s.tenant_epoch as "tenantEpoch",
          a.roles, s.amr, s.authenticated_at as "authenticatedAtMs", s.ended_at as "endedAtMs",
          a.status as "accountStatus", a.epoch as "currentAccountEpoch",
          t.status as "tenantStatus", t.epoch as "currentTenantEpoch",
          r.expires_at as "expiresAtMs", r.used_at as "usedAtMs", r.successor_box as "successorBox",
          r.successor_hash as "successorHash", ${successorOf} as successor, ${isAhead('$2::bigint')} as "isAhead"
     from refresh_token r
     join session s on s.id = r.session_id
     join account a on a.id = s.account_id
     join tenant t on t.id = s.tenant_id
     left join refresh_token n on n.hash = r.successor_hash
    where r.hash = $1`,
);

const endStolenBy = (theft: Theft) =>
  statement(
    `session_end_stolen_${theft}`,
    `with ended as (
     update session set ended_at = $3, end_reason = 'refresh_reused'
      where tenant_id = $1 and id = $2 and ended_at is null
     returning id, tenant_id, account_id
   ), trace as (
     ${appendAudit({ ...thefts[theft], at: '$3', ...ofSession, by: '$4' }, 'from ended')}
   ) ${appendEntry({ kind: 'session', key: '$2::uuid', epoch: 'null', tenant: '$1' })}`,
  );

/** Ends the session of a refresh token that two clients have, by how that showed. */
export const endStolen = {
  refresh_reused: endStolenBy('refresh_reused'),
  superseded_used: endStolenBy('superseded_used'),
} as const;

/** Most successors forgotten in one transaction. */
export const forgottenMax = 1000;

/** Forgets sealed successors; rows that a rotation holds wait for the next round. */
export const forgetBoxes = statement(
  'session_forget_boxes',
  `with old as (
     select hash from refresh_token
      where successor_box is not null and used_at < least($1::bigint, ${databaseMs}) - $2::bigint
      limit ${forgottenMax} for no key update skip locked
   ), forgotten as (
     update refresh_token r set successor_box = null from old where r.hash = old.hash returning 1
   ) select count(*)::integer as rows from forgotten`,
);
