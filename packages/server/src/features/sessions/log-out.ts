/**
 * Use cases: a person signs out, of one session or of all.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { orUnknown } from '../revocation/or-unknown.ts';
import { tokenHash } from '../secrets/random-token.ts';
import type { SessionStore } from './store.ts';

/** What these use cases work with. */
export interface LogOutParts {
  readonly sessions: SessionStore;
  readonly barrier: Barrier;
  readonly nowMs: () => number;
}

/** What shows whose session ends. */
export interface SignOutProof {
  /** A genuine access token of any age. It decides where both are given. */
  readonly accessToken: SignedToken | undefined;
  /** Any refresh token of the session. */
  readonly refreshToken: string | undefined;
}

/**
 * Ends the session of an access token.
 * @param token genuine, of any age
 * @throws {CatalyticError} `revocation_unknown`
 */
export const endByAccessToken = async (
  { sessions, barrier, nowMs }: LogOutParts,
  { claims: { tid: tenantId, sid: sessionId } }: SignedToken,
  by: Origin,
): Promise<Propagation> => barrier.settle(await orUnknown(sessions.end({ tenantId, sessionId, nowMs: nowMs(), by })));

/**
 * Ends the session of a refresh token.
 * @param token unused, used or expired
 * @returns `refresh_invalid` for a token that is not known
 * @throws {CatalyticError} `revocation_unknown`
 */
export const endByRefreshToken = async (
  { sessions, barrier, nowMs }: LogOutParts,
  token: string,
  by: Origin,
): Promise<Propagation | 'refresh_invalid'> => {
  const recorded = await orUnknown(sessions.endByToken({ presentedHash: tokenHash(token), nowMs: nowMs(), by }));
  return recorded === 'refresh_invalid' ? recorded : barrier.settle(recorded);
};

/**
 * Ends one session. The token may have expired or been used, because a person who comes back late
 * must be able to sign out. A repeat is harmless and makes the same promise.
 * @throws {CatalyticError} `token_missing` when neither token is given, `refresh_invalid`,
 *   `revocation_unknown`
 */
export const logOut = async (
  parts: LogOutParts,
  { accessToken, refreshToken }: SignOutProof,
  by: Origin,
): Promise<Propagation> => {
  if (accessToken !== undefined) return endByAccessToken(parts, accessToken, by);
  if (refreshToken === undefined) throw new CatalyticError('token_missing');
  const ended = await endByRefreshToken(parts, refreshToken, by);
  if (ended === 'refresh_invalid') throw new CatalyticError('refresh_invalid');
  return ended;
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
  const { tid: tenantId, sub: accountId, sid: sessionId } = claims;
  const recorded = await orUnknown(parts.sessions.endAll({ tenantId, accountId, sessionId, nowMs: parts.nowMs(), by }));
  if (recorded === 'session_ended') throw new CatalyticError('token_revoked');
  return parts.barrier.settle(recorded);
};
