/** Sessions in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import { isUsable } from '../../features/sessions/rules.ts';
import type { LiveSession, SessionStore } from '../../features/sessions/store.ts';
import { isUnended } from '../session-sql.ts';
import { findTokenStatement, type TokenRow, toGrant } from './rotate-token.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** After every id. */
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Every operation that decides something writes, so it goes to the writer thread.
 * @param reader connection for reading
 */
export const sqliteSessions = (reader: DatabaseSync, writer: Writer): SessionStore => {
  const write = writer.of('sessions');
  const live = reader.prepare(
    `select s.id, s.created_at as createdAtMs, s.authenticated_at as authenticatedAtMs,
            s.expires_at as expiresAtMs
       from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where s.tenant_id = ? and s.account_id = ? and s.id < ? and s.expires_at > ? and ${isUnended}
      order by s.id desc limit ?`,
  );
  const token = reader.prepare(findTokenStatement);
  return {
    open: write('open'),
    list: async ({ tenantId, accountId, before, rowsMax, nowMs }) =>
      readRows<LiveSession>(live, tenantId, accountId, before ?? lastId, nowMs, rowsMax).map((row) => ({ ...row })),
    findToken: async ({ presentedHash, nowMs }) => {
      const row = readRow<TokenRow>(token, presentedHash);
      return row && { grant: toGrant(row), expiresAtMs: row.expiresAtMs, isUsable: isUsable(row, nowMs) };
    },
    rotate: write('rotate'),
    end: write('end'),
    endByToken: write('endByToken'),
    endOwn: write('endOwn'),
    endAll: write('endAll'),
    changePassword: write('changePassword'),
    signOut: write('signOut'),
    forgetSuccessors: write('forgetSuccessors'),
    purge: write('purge'),
  };
};
