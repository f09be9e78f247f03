/** Sessions in SQLite. @module */
import type { SessionStore } from '../../features/sessions/store.ts';
import type { Writer } from './writer.ts';

/** Every operation writes, so every operation goes to the writer thread. */
export const sqliteSessions = (writer: Writer): SessionStore => ({
  open: (session) => writer.run('openSession', session),
  rotate: (rotation) => writer.run('rotateRefreshToken', rotation),
  end: (tenantId, sessionId, nowMs) => writer.run('endSession', { tenantId, sessionId, nowMs }),
  endAll: (tenantId, accountId, sessionId, seenEpoch, nowMs) =>
    writer.run('endAllSessions', { tenantId, accountId, sessionId, seenEpoch, nowMs }),
  forgetSuccessors: (usedBeforeMs) => writer.run('forgetSuccessors', { usedBeforeMs }),
  purge: (beforeMs, rowsMax) => writer.run('purgeSessions', { beforeMs, rowsMax }),
});
