/**
 * Use case: a person ends one of their sessions, from any of them.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { SessionId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Propagation } from '../revocation/barrier.ts';
import { orUnknown } from '../revocation/or-unknown.ts';
import type { LogOutParts } from './log-out.ts';

/**
 * Ends a session of the token's account. A repeat is harmless and makes the same promise.
 * @throws {CatalyticError} `session_not_found` for a session of another account as for none at all;
 *   `revocation_unknown`
 */
export const endOwnSession = async (
  parts: LogOutParts,
  { claims }: SignedToken,
  sessionId: SessionId,
  by: Origin,
): Promise<Propagation> => {
  const { tid: tenantId, sub: accountId, sid: askingSessionId } = claims;
  const recorded = await orUnknown(
    parts.sessions.endOwn({ tenantId, accountId, sessionId, askingSessionId, nowMs: parts.nowMs(), by }),
  );
  if (recorded === 'session_not_found') throw new CatalyticError('session_not_found');
  return parts.barrier.settle(recorded);
};
