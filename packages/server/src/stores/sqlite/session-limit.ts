/** The limit of live sessions of an account. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { SessionId } from '@catalytic/protocol/ids';
import type { Recorded } from '../../features/revocation/store.ts';
import { displacedCount, sessionEnds } from '../../features/sessions/rules.ts';
import type { Grant, NewSession } from '../../features/sessions/store.ts';
import { countUnended, displacedFirst } from '../session-sql.ts';
import type { auditAppender } from './audit-writes.ts';
import { sessionEnder } from './ended-sessions.ts';
import type { journalAppender } from './journal-writes.ts';

/**
 * Prepares the limit.
 * @returns ends the excess after a session was opened; `undefined` without excess, the usual case
 */
export const sessionLimiter = (
  database: DatabaseSync,
  journal: ReturnType<typeof journalAppender>,
  audit: ReturnType<typeof auditAppender>,
) => {
  const end = sessionEnder(database);
  const count = database.prepare(countUnended('?', '?', '?'));
  // Read only where the limit is reached.
  const tooMany = database.prepare(
    `select id from session s
      where tenant_id = :tenant and account_id = :account and ended_at is null and id <> :opened
      order by ${displacedFirst(':now', ':accountEpoch', ':tenantEpoch')}
      limit :displaced`,
  );
  return (grant: Grant, { sessionsMax, nowMs, by }: NewSession): Recorded | undefined => {
    const { tenantId, accountId, sessionId, accountEpoch, tenantEpoch } = grant;
    const { sessions } = count.get(tenantId, accountId, sessionsMax) as { sessions: number };
    const displaced = displacedCount(sessions, sessionsMax);
    if (displaced === 0) return undefined;
    const ended = tooMany.all({
      tenant: tenantId,
      account: accountId,
      opened: sessionId,
      now: nowMs,
      accountEpoch,
      tenantEpoch,
      displaced,
    }) as unknown as readonly { readonly id: SessionId }[];
    const recorded = ended.map(({ id }) => {
      end({ tenantId, sessionId: id, nowMs }, 'limit');
      audit.append({ ...sessionEnds.limit, atMs: nowMs, by, tenantId, accountId, sessionId: id });
      return journal.append({ kind: 'session', key: id }, tenantId);
    });
    const last = recorded.at(-1);
    return last === undefined ? undefined : { ...last, entries: recorded.flatMap(({ entries }) => entries) };
  };
};
