/**
 * Use case: issue an access token for a grant.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { signBytes } from '@catalytic/guard/algorithms';
import type { SignatureChecks } from '@catalytic/guard/signature-checks';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import type { TokenId } from '@catalytic/protocol/ids';
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import type { Grant } from '../sessions/store.ts';
import type { KeyRing } from '../signing-keys/key-ring.ts';

/** What this use case works with. */
export interface IssueAccessTokenParts {
  readonly keys: KeyRing;
  readonly signatureChecks: SignatureChecks;
  readonly issuer: string;
  readonly audience: string;
  readonly accessTokenSeconds: number;
}

/** `client_id` of sign-ins through our own API (RFC 9068 section 2.2 requires the claim). */
const ownClientId = 'catalytic';

/**
 * Signs an access token.
 * @param grant what the authorising statement saw
 * @param authorisedAtMs wall clock read *before* the authorising statement was sent. It gives `iat`
 *   and `exp`: a token whose statement ran before a revocation then always expires before the
 *   journal forgets that revocation, however long this process stalls
 */
export const issueAccessToken = (
  { keys, signatureChecks, issuer, audience, accessTokenSeconds }: IssueAccessTokenParts,
  grant: Grant,
  authorisedAtMs: number,
): string => {
  const issuedAt = Math.floor(authorisedAtMs / 1000);
  const claims: AccessTokenClaims = {
    iss: issuer,
    sub: grant.accountId,
    aud: audience,
    iat: issuedAt,
    // Verifiers take this claim at its word, and their clocks may be a little behind.
    nbf: issuedAt - clockSkewSeconds,
    exp: issuedAt + accessTokenSeconds,
    jti: randomUUID() as TokenId,
    sid: grant.sessionId,
    tid: grant.tenantId,
    client_id: ownClientId,
    scope: '',
    roles: grant.roles,
    amr: grant.amr,
    auth_time: Math.floor(grant.authenticatedAtMs / 1000),
    aep: grant.accountEpoch,
    tep: grant.tenantEpoch,
  };
  const key = keys.signingKey(authorisedAtMs);
  const signingInput = `${key.verification.header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  const signature = signBytes(key.verification.algorithm, key.privateKey, Buffer.from(signingInput, 'latin1'));
  const token = `${signingInput}.${signature.toString('base64url')}`;
  signatureChecks.remember(token, { claims, key: key.verification });
  return token;
};
