/**
 * The access token: a JWT as RFC 9068 asks (`typ: at+jwt`), plus the session, the tenant and the
 * epochs that revocation needs.
 * @module
 */
import type { AccountId, SessionId, TenantId, TokenId } from './ids.ts';

/**
 * Claims of an access token. Times are whole seconds since 1970-01-01 UTC (RFC 7519 NumericDate).
 */
export interface AccessTokenClaims {
  readonly iss: string;
  readonly sub: AccountId;
  readonly aud: string;
  readonly iat: number;
  /**
   * Older than `iat`, so that a verifier whose clock is behind takes a fresh token. Optional: the
   * version after this one leaves it out, because the version before refuses a token without it.
   */
  readonly nbf?: number;
  readonly exp: number;
  readonly jti: TokenId;
  readonly sid: SessionId;
  readonly tid: TenantId;
  readonly client_id: string;
  readonly scope: string;
  readonly roles: readonly string[];
  /** Authentication methods used (RFC 8176), for example `pwd`. */
  readonly amr: readonly string[];
  /** When the password was last checked. */
  readonly auth_time: number;
  /**
   * Epoch of the account when the token was authorised: a higher epoch in the journal revokes it.
   */
  readonly aep: number;
  /** Epoch of the tenant, likewise. */
  readonly tep: number;
}

/** The only `typ` a Catalytic access token carries (RFC 9068 section 2.1). */
export const accessTokenType = 'at+jwt';
