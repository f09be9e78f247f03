/** Writing operations that end sessions. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { Purge } from '../../features/purging/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { sessionEnds } from '../../features/sessions/rules.ts';
import type {
  AccountSignOut,
  OwnSessionEnd,
  SessionEnd,
  SignOutEverywhere,
  TokenSessionEnd,
} from '../../features/sessions/store.ts';
import { commonEndReasons } from '../session-sql.ts';
import { auditAppender } from './audit-writes.ts';
import { sessionEnder, sessionsEnder } from './ended-sessions.ts';
import { journalAppender } from './journal-writes.ts';

interface Epoch {
  readonly epoch: number;
}

/** Prepares the operations. */
export const endingWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const endOne = sessionEnder(database);
  const endSessions = sessionsEnder(database);
  const findByToken = database.prepare(
    'select tenant_id as tenantId, session_id as sessionId from refresh_token where hash = ?',
  );
  const findOwn = database.prepare('select 1 from session where tenant_id = ? and account_id = ? and id = ?');
  const raiseEpoch = database.prepare(
    `update account set epoch = epoch + 1
      where tenant_id = :tenant and id = :account
        and exists (select 1 from session s
                     where s.id = :session and s.account_id = account.id and s.ended_at is null
                       and s.account_epoch = account.epoch)
     returning epoch`,
  );
  const raiseEpochAnyway = database.prepare(
    'update account set epoch = epoch + 1 where tenant_id = ? and id = ? returning epoch',
  );
  // A living session has the epoch of its account, so the epoch that ended it is the next one.
  const findCommonEnd = database.prepare(
    `select account_epoch + 1 as epoch from session
      where tenant_id = :tenant and account_id = :account and id = :session
        and end_reason in (${commonEndReasons})`,
  );
  const purge = database.prepare(
    `delete from session where id in (select id from session where expires_at < ? order by expires_at limit ?)`,
  );

  const end = (session: SessionEnd): Recorded => {
    const { tenantId, sessionId, nowMs, by } = session;
    const accountId = endOne(session, 'logout');
    // A repeat ends nothing and leaves no further row.
    if (accountId !== undefined)
      audit.append({ ...sessionEnds.logout, atMs: nowMs, by, tenantId, accountId, sessionId });
    return journal.append({ kind: 'session', key: sessionId }, tenantId);
  };

  return {
    end,

    endByToken: ({ presentedHash, nowMs, by }: TokenSessionEnd): Recorded | 'refresh_invalid' => {
      const found = findByToken.get(presentedHash) as Pick<SessionEnd, 'tenantId' | 'sessionId'> | undefined;
      return found === undefined ? 'refresh_invalid' : end({ ...found, nowMs, by });
    },

    endOwn: (end: OwnSessionEnd): Recorded | 'session_not_found' => {
      const { tenantId, accountId, sessionId, askingSessionId: subject, nowMs, by } = end;
      if (findOwn.get(tenantId, accountId, sessionId) === undefined) return 'session_not_found';
      if (endOne(end, 'revoked') !== undefined)
        audit.append({ ...sessionEnds.revoked, atMs: nowMs, by, tenantId, accountId, sessionId, subject });
      return journal.append({ kind: 'session', key: sessionId }, tenantId);
    },

    signOut: (signOut: AccountSignOut): Recorded | undefined => {
      const { tenantId, accountId, nowMs, by } = signOut;
      const raised = raiseEpochAnyway.get(tenantId, accountId) as Epoch | undefined;
      if (raised === undefined) return undefined;
      endSessions(signOut, 'signed_out', raised.epoch);
      audit.append({ ...sessionEnds.signed_out, atMs: nowMs, by, tenantId, accountId });
      return journal.append({ kind: 'account', key: accountId, epoch: raised.epoch }, tenantId);
    },

    endAll: (signOut: SignOutEverywhere): Recorded | 'session_ended' => {
      const { tenantId, accountId, sessionId, nowMs, by } = signOut;
      const whose = { tenant: tenantId, account: accountId, session: sessionId };
      const raised = raiseEpoch.get(whose) as Epoch | undefined;
      const reached = raised ?? (findCommonEnd.get(whose) as Epoch | undefined);
      if (reached === undefined) return 'session_ended';
      const { epoch } = reached;
      endSessions(signOut, 'logout_all', epoch);
      if (raised !== undefined)
        audit.append({ ...sessionEnds.logout_all, atMs: nowMs, by, tenantId, accountId, sessionId });
      return journal.append({ kind: 'account', key: accountId, epoch }, tenantId);
    },

    // The clock of the caller is that of the database.
    purge: ({ nowMs, sinceMs, rowsMax }: Purge): number => Number(purge.run(nowMs - sinceMs, rowsMax).changes),
  };
};
