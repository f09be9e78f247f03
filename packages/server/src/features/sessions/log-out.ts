/**
 * Use cases: a person signs out, of one session or of all.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { orUnknown } from '../revocation/or-unknown.ts';
import type { SessionStore } from './store.ts';

/** What these use cases work with. */
export interface LogOutParts {
  readonly sessions: SessionStore;
  readonly barrier: Barrier;
  readonly nowMs: () => number;
}

/**
 * Ends the token's session. A repeat is harmless and makes the same promise.
 * @throws {CatalyticError} `revocation_unknown`
 */
export const logOut = async (parts: LogOutParts, { claims }: SignedToken, by: Origin): Promise<Propagation> => {
  const { tid: tenantId, sid: sessionId } = claims;
  const recorded = await orUnknown(parts.sessions.end({ tenantId, sessionId, nowMs: parts.nowMs(), by }));
  return parts.barrier.settle(recorded);
};

/**
 * Ends every session of the token's account, that of the token included.
 * @throws {CatalyticError} `token_revoked` when the session of the token has ended, because a dead
 *   token must not sign others out; `revocation_unknown`
 */
export const logOutEverywhere = async (
  parts: LogOutParts,
  { claims }: SignedToken,
  by: Origin,
): Promise<Propagation> => {
  const { tid: tenantId, sub: accountId, sid: sessionId, aep: seenEpoch } = claims;
  const recorded = await orUnknown(
    parts.sessions.endAll({ tenantId, accountId, sessionId, seenEpoch, nowMs: parts.nowMs(), by }),
  );
  if (recorded === 'session_ended') throw new CatalyticError('token_revoked');
  return parts.barrier.settle(recorded);
};
