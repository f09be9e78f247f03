/**
 * Use case: what is this token worth now (RFC 7662)? The answer is as true as `GET /auth/verify`,
 * and like it is not remembered.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { CatalyticError } from '@catalytic/protocol/errors';
import { checkOnceCurrent, currencyWaitMs, type PatientCheckParts } from '../access-tokens/check-access-token.ts';
import { ownClientId } from '../access-tokens/issue-access-token.ts';
import { tokenHash } from '../secrets/random-token.ts';
import { refreshTokenPrefix } from '../sessions/session-answer.ts';
import type { SessionStore } from '../sessions/store.ts';
import type { Client } from './check-client.ts';

/** What this use case works with. */
export interface IntrospectTokenParts extends PatientCheckParts {
  readonly sessions: Pick<SessionStore, 'findToken'>;
}

/** What is told of a token that is active. */
type Facts = Pick<AccessTokenClaims, 'tid' | 'sub' | 'sid' | 'exp'> & Readonly<Record<string, unknown>>;

/** The answer: whether the token is active, and only then what it says. */
export type Introspection = { readonly active: false } | (Facts & { readonly active: true });

const inactive: Introspection = { active: false };

/** The verdict is not known: neither `true` nor `false` would be true. */
const unavailable = (): CatalyticError => new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 });

const accessTokenFacts = async (parts: IntrospectTokenParts, token: string): Promise<Facts | undefined> => {
  const checked = await checkOnceCurrent(parts, token);
  if (checked === 'revocation_state_unavailable') throw unavailable();
  if (typeof checked === 'string') return undefined;
  // An empty list of scopes has no spelling (RFC 6749 section 3.3).
  const { scope, ...claims } = checked.claims;
  return { ...claims, token_type: 'Bearer', ...(scope !== '' && { scope }) };
};

/** One read, which uses nothing up. It counts only in a process whose journal is current. */
const refreshTokenFacts = async (
  { sessions, currency, expectation, nowMs }: IntrospectTokenParts,
  token: string,
): Promise<Facts | undefined> => {
  const found = await sessions.findToken({ presentedHash: tokenHash(token), nowMs: nowMs() });
  if (!currency.isCurrent() && !(await currency.untilCurrent(currencyWaitMs))) throw unavailable();
  if (found === undefined || !found.isUsable) return undefined;
  const { tenantId, accountId, sessionId, amr, authenticatedAtMs } = found.grant;
  return {
    iss: expectation.issuer,
    sub: accountId,
    exp: Math.floor(found.expiresAtMs / 1000),
    sid: sessionId,
    tid: tenantId,
    client_id: ownClientId,
    amr,
    auth_time: Math.floor(authenticatedAtMs / 1000),
    // No type with which a resource could be asked (RFC 8693 section 2.2.1).
    token_type: 'N_A',
  };
};

/**
 * Judges a token for a client. A token of a tenant that the client does not see is inactive, and so
 * is a refresh token for a guard key: its holder protects resources, and a resource server that
 * asks only whether a token is active would let a refresh token in (RFC 7662 section 2.2).
 * @throws {CatalyticError} `revocation_state_unavailable`, `store_unavailable`, `clock_wrong`
 */
export const introspectToken = async (
  parts: IntrospectTokenParts,
  { kind, tenantId }: Client,
  token: string,
): Promise<Introspection> => {
  const isRefreshToken = token.startsWith(refreshTokenPrefix);
  if (isRefreshToken && kind === 'guard key') return inactive;
  const facts = await (isRefreshToken ? refreshTokenFacts : accessTokenFacts)(parts, token);
  if (facts === undefined || (tenantId !== null && facts.tid !== tenantId)) return inactive;
  return { active: true, ...facts };
};
