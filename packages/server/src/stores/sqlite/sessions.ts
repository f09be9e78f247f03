/** Sessions in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { LiveSession, SessionStore } from '../../features/sessions/store.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** After every id. */
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Every operation that decides something writes, so it goes to the writer thread.
 * @param reader connection for reading
 */
export const sqliteSessions = (reader: DatabaseSync, writer: Writer): SessionStore => {
  const live = reader.prepare(
    `select s.id, s.created_at as createdAtMs, s.authenticated_at as authenticatedAtMs, s.expires_at as expiresAtMs
       from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where s.tenant_id = ? and s.account_id = ? and s.ended_at is null and s.id < ? and s.expires_at > ?
        and s.account_epoch = a.epoch and s.tenant_epoch = t.epoch
      order by s.id desc limit ?`,
  );
  return {
    open: (session) => writer.run('openSession', session),
    list: async (tenantId, accountId, before, rowsMax, nowMs) =>
      readRows<LiveSession>(live, tenantId, accountId, before ?? lastId, nowMs, rowsMax).map((row) => ({ ...row })),
    rotate: (rotation) => writer.run('rotateRefreshToken', rotation),
    end: (tenantId, sessionId, nowMs, by) => writer.run('endSession', { tenantId, sessionId, nowMs, by }),
    endOwn: (tenantId, accountId, sessionId, nowMs, by, asking) =>
      writer.run('endOwnSession', { tenantId, accountId, sessionId, nowMs, by, asking }),
    endAll: (tenantId, accountId, sessionId, seenEpoch, nowMs, by) =>
      writer.run('endAllSessions', { tenantId, accountId, sessionId, seenEpoch, nowMs, by }),
    changePassword: (change) => writer.run('changePassword', change),
    signOut: (tenantId, accountId, nowMs, by) => writer.run('signOutAccount', { tenantId, accountId, nowMs, by }),
    // The clock of the caller is that of the database.
    forgetSuccessors: (nowMs, sinceMs) => writer.run('forgetSuccessors', { usedBeforeMs: nowMs - sinceMs }),
    purge: (nowMs, sinceMs, rowsMax) => writer.run('purgeSessions', { beforeMs: nowMs - sinceMs, rowsMax }),
  };
};
