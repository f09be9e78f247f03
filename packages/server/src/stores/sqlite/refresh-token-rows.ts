/** Rows of refresh tokens. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { SessionId, TenantId } from '@catalytic/protocol/ids';
import type { NewRefreshToken } from '../../features/sessions/store.ts';

/** The session that a token renews. */
interface Renewed {
  readonly tenantId: TenantId;
  readonly sessionId: SessionId;
}

/**
 * Prepares the insertion of an unused token.
 * @returns inserts it. `number` counts the tokens of a session, from 0
 */
export const tokenInserter = (
  database: DatabaseSync,
): ((token: NewRefreshToken, session: Renewed, number?: number) => void) => {
  const insert = database.prepare(
    'insert into refresh_token (hash, tenant_id, session_id, expires_at, number) values (?, ?, ?, ?, ?)',
  );
  return ({ hash, expiresAtMs }, { tenantId, sessionId }, number = 0) =>
    void insert.run(hash, tenantId, sessionId, expiresAtMs, number);
};
