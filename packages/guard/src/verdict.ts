/**
 * The verdict: allow or deny, with a reason. Pure: the caller passes the clock in, and no verdict
 * is remembered.
 * @module
 */
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { ErrorCode } from '@catalytic/protocol/errors';
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import type { SignedToken } from './signature-checks.ts';
import type { View } from './view.ts';

/** Whether this process may trust its view; see `journal-reader.ts`. */
export interface Currency {
  /** Reads the clocks at each call. */
  isCurrent(): boolean;
}

/** What a resource expects of a token. */
export interface Expectation {
  readonly issuer: string;
  readonly audience: string;
}

/**
 * Judges a token whose signature holds (RFC 9068 section 4, RFC 7519 section 4.1). The caller reads
 * the clock in the same turn of the event loop, after the request. A stored verdict or a cached
 * clock would accept a token after its revocation.
 * @param nowSeconds wall clock, seconds since 1970
 * @returns the code of the refusal, or `undefined` for "allow"
 */
export const refusal = (
  token: SignedToken,
  view: View,
  currency: Currency,
  expectation: Expectation,
  nowSeconds: number,
): ErrorCode | undefined =>
  claimRefusal(token.claims, expectation, nowSeconds) ?? revocationRefusal(token, view, currency);

/** Lease and look-up in one turn of the event loop: no revocation can arrive in between. */
const revocationRefusal = ({ claims, key }: SignedToken, view: View, currency: Currency): ErrorCode | undefined => {
  if (!currency.isCurrent()) return 'revocation_state_unavailable';
  if (!view.isRevoked(claims, key.kid)) return undefined;
  return view.isOnlyOutdated(claims, key.kid) ? 'token_outdated' : 'token_revoked';
};

/** The part of the verdict that needs no view: issuer, audience and times. */
export const claimRefusal = (
  claims: AccessTokenClaims,
  expectation: Expectation,
  nowSeconds: number,
): ErrorCode | undefined => {
  if (claims.iss !== expectation.issuer) return 'token_issuer_wrong';
  if (claims.aud !== expectation.audience) return 'token_audience_wrong';
  if (!(nowSeconds < claims.exp)) return 'token_expired';
  // A token from the future would outlive the journal entry that revokes it.
  if (claims.iat > nowSeconds + clockSkewSeconds || (claims.nbf ?? claims.iat) > nowSeconds + clockSkewSeconds)
    return 'token_not_yet_valid';
  return undefined;
};
