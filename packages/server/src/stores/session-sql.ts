/**
 * Conditions on sessions as SQL, the same on both engines: the deciding statements check them and
 * change something in one step. The reasons that are given where they do not hold are in
 * `features/sessions/rules.ts`.
 * @module
 */
import { commonEnds, displacedMax } from '../features/sessions/rules.ts';

/** Whether account `a` and its tenant `t` may have sessions. */
export const isInGoodStanding = "a.status = 'active' and t.status = 'active'";

/**
 * Whether nothing has ended session `s` of account `a` and tenant `t`: neither an act on it, nor a
 * raised epoch.
 */
export const isUnended = 's.ended_at is null and s.account_epoch = a.epoch and s.tenant_epoch = t.epoch';

/** `commonEnds` of the rules, as a list in SQL. */
export const commonEndReasons = commonEnds.map((reason) => `'${reason}'`).join(', ');

/** The `Successor` of the rules, of token `r` whose successor is looked up as `n`. */
export const successorOf = `
  case when r.successor_hash is null then 'none'
       when n.hash is not null and n.used_at is null then 'unused' else 'used' end`;

/**
 * Counts the sessions of an account that have no end, up to what one sign-in can displace. One that
 * cannot be refreshed any more counts until it is ended or purged, and so an account never has more
 * of them than the limit. An index alone answers it.
 * @param sessionsMax SQL, like the others
 */
export const countUnended = (tenant: string, account: string, sessionsMax: string): string =>
  `select count(*) as sessions
     from (select 1 from session
            where tenant_id = ${tenant} and account_id = ${account} and ended_at is null
            limit ${sessionsMax} + ${displacedMax}) counted`;

/**
 * The order in which sessions `s` are displaced: first those that cannot be refreshed any more,
 * then the oldest, as ids begin with the time.
 * @param now SQL, like the epochs of account and tenant
 */
export const displacedFirst = (now: string, accountEpoch: string, tenantEpoch: string): string =>
  `s.expires_at > ${now} and s.account_epoch = ${accountEpoch} and s.tenant_epoch = ${tenantEpoch}, s.id`;
