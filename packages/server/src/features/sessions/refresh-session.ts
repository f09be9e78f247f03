/**
 * Use case: a client exchanges its refresh token for the next pair of tokens.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { IssueAccessTokenParts } from '../access-tokens/issue-access-token.ts';
import type { Origin } from '../audit/store.ts';
import type { Barrier } from '../revocation/barrier.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import { deriveKey, seal, unseal } from '../secrets/seal.ts';
import { refreshTokenPrefix, type SessionTokens, sessionTokens } from './session-answer.ts';
import type { SessionStore } from './store.ts';

/** What this use case works with. */
export interface RefreshSessionParts extends IssueAccessTokenParts {
  readonly sessions: SessionStore;
  readonly barrier: Barrier;
  readonly refreshTokenSeconds: number;
  readonly refreshGraceSeconds: number;
  readonly nowMs: () => number;
}

const boxContext = 'refresh successor';

/**
 * Rotates a refresh token. A replay within the grace window gets the same successor, so that a lost
 * answer or a parallel tab ends no session. A later one gets another successor while the first is
 * unused: a client that lost its connection comes back when it can. Otherwise, and for a token that
 * was superseded so, it counts as theft and ends the session (RFC 9700 section 4.14.2).
 * @throws {CatalyticError} `refresh_invalid`, `refresh_expired`, `refresh_superseded`,
 *   `refresh_reused`, `session_ended`, `account_disabled`, `tenant_suspended`
 */
export const refreshSession = async (
  parts: RefreshSessionParts,
  presented: string,
  by: Origin,
): Promise<SessionTokens> => {
  const successor = randomToken(refreshTokenPrefix);
  const boxKey = deriveKey(Buffer.from(presented), boxContext);
  const nowMs = parts.nowMs();
  const rotated = await parts.sessions.rotate({
    presentedHash: tokenHash(presented),
    successor: { hash: tokenHash(successor), expiresAtMs: nowMs + parts.refreshTokenSeconds * 1000 },
    successorBox: seal(boxKey, Buffer.from(successor), boxContext),
    nowMs,
    graceMs: parts.refreshGraceSeconds * 1000,
    by,
  });
  switch (rotated.outcome) {
    case 'rotated':
    case 'reissued':
      return sessionTokens(parts, rotated.grant, successor, nowMs);
    case 'replayed': {
      const first = unseal(boxKey, rotated.successorBox, boxContext).toString();
      return sessionTokens(parts, rotated.grant, first, nowMs);
    }
    case 'refresh_reused':
      await parts.barrier.settle(rotated.recorded);
      throw new CatalyticError('refresh_reused');
    default:
      throw new CatalyticError(rotated.outcome);
  }
};
