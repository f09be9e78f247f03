/**
 * Use case: issue an access token for a grant.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { signBytes } from '@catalytic/guard/algorithms';
import { tokenCharactersMax } from '@catalytic/guard/compact-form';
import type { SignatureChecks, SignedToken } from '@catalytic/guard/signature-checks';
import type { AccessTokenClaims } from '@catalytic/protocol/claims';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AccountId, SessionId, TenantId, TokenId } from '@catalytic/protocol/ids';
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
export const ownClientId = 'catalytic';

type MintParts = Omit<IssueAccessTokenParts, 'signatureChecks'>;

const mint = (
  { keys, issuer, audience, accessTokenSeconds }: MintParts,
  grant: Grant,
  authorisedAtMs: number,
): { readonly token: string; readonly signed: SignedToken } => {
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
  return { token, signed: { claims, key: key.verification } };
};

/** Whether an access token with these roles is one that every process accepts. It costs a signature. */
export const fitsAccessToken = (parts: MintParts, roles: readonly string[], nowMs: number): boolean => {
  // Every id has this length.
  const id = randomUUID();
  const ids = { tenantId: id as TenantId, accountId: id as AccountId, sessionId: id as SessionId };
  const epochs = { accountEpoch: Number.MAX_SAFE_INTEGER, tenantEpoch: Number.MAX_SAFE_INTEGER };
  const grant: Grant = { ...ids, ...epochs, roles, amr: ['pwd'], authenticatedAtMs: nowMs };
  return mint(parts, grant, nowMs).token.length <= tokenCharactersMax;
};

/**
 * Signs an access token.
 * @param grant what the authorising statement saw
 * @param authorisedAtMs wall clock read *before* the authorising statement was sent. It gives `iat`
 *   and `exp`: a token whose statement ran before a revocation then always expires before the
 *   journal forgets that revocation, however long this process stalls
 * @throws {CatalyticError} `roles_too_large` for a token that no process would accept
 */
export const issueAccessToken = (parts: IssueAccessTokenParts, grant: Grant, authorisedAtMs: number): string => {
  const { token, signed } = mint(parts, grant, authorisedAtMs);
  if (token.length > tokenCharactersMax) throw new CatalyticError('roles_too_large');
  parts.signatureChecks.remember(token, signed);
  return token;
};
