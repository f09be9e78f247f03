/** The limit of live sessions of an account. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { SessionId } from '@catalytic/protocol/ids';
import type { Origin } from '../../features/audit/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import type { Grant } from '../../features/sessions/store.ts';
import { displacedMax } from '../displaced-max.ts';
import type { auditAppender } from './audit-writes.ts';
import type { journalAppender } from './journal-writes.ts';

/**
 * Counts sessions that have not ended, up to a bound, in the index alone: a session that can no longer be refreshed counts too until it is
 * ended here or purged, and so an account never has more of them than the limit.
 */
export const countUnended =
  'select count(*) as sessions from (select 1 from session where tenant_id = ? and account_id = ? and ended_at is null limit ?)';

/** Prepares it. @returns ends what is too many after a session was opened; `undefined` when nothing is, as nearly always */
export const sessionLimiter = (
  database: DatabaseSync,
  journal: ReturnType<typeof journalAppender>,
  audit: ReturnType<typeof auditAppender>,
) => {
  const count = database.prepare(countUnended);
  // Read only where the limit is reached; ids begin with the time.
  const tooMany = database.prepare(
    `select id from session
      where tenant_id = :tenant and account_id = :account and ended_at is null and id <> :opened
      order by expires_at > :now and account_epoch = :accountEpoch and tenant_epoch = :tenantEpoch, id
      limit :excess`,
  );
  const end = database.prepare(
    "update session set ended_at = ?, end_reason = 'limit' where tenant_id = ? and id = ? and ended_at is null",
  );
  return (grant: Grant, sessionsMax: number, nowMs: number, by: Origin): Recorded | undefined => {
    const { tenantId, accountId, sessionId, accountEpoch, tenantEpoch } = grant;
    const { sessions } = count.get(tenantId, accountId, sessionsMax + displacedMax) as { sessions: number };
    if (sessions <= sessionsMax) return undefined;
    const ended = tooMany.all({
      tenant: tenantId,
      account: accountId,
      opened: sessionId,
      now: nowMs,
      accountEpoch,
      tenantEpoch,
      excess: sessions - sessionsMax,
    }) as unknown as readonly { readonly id: SessionId }[];
    const recorded = ended.map(({ id }) => {
      end.run(nowMs, tenantId, id);
      const trace = { event: 'session_expired', reason: 'limit', atMs: nowMs, by } as const;
      audit.append({ ...trace, tenantId, accountId, sessionId: id });
      return journal.append({ kind: 'session', key: id });
    });
    const last = recorded.at(-1);
    return last === undefined ? undefined : { ...last, entries: recorded.flatMap(({ entries }) => entries) };
  };
};
