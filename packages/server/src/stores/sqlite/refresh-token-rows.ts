/** Rows of refresh tokens. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { SessionId, TenantId } from '@catalytic/protocol/ids';
import type { NewRefreshToken } from '../../features/sessions/store.ts';

/** The session that a token renews. */
interface Renewed {
  readonly tenantId: TenantId;
  readonly sessionId: SessionId;
}

/** Prepares the insertion of an unused token. */
export const tokenInserter = (database: DatabaseSync): ((token: NewRefreshToken, session: Renewed) => void) => {
  const insert = database.prepare(
    'insert into refresh_token (hash, tenant_id, session_id, expires_at) values (?, ?, ?, ?)',
  );
  return ({ hash, expiresAtMs }, { tenantId, sessionId }) => void insert.run(hash, tenantId, sessionId, expiresAtMs);
};
