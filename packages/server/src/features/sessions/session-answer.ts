/**
 * Part of use cases: the pair of tokens for a grant.
 * @module
 */
import { type IssueAccessTokenParts, issueAccessToken } from '../access-tokens/issue-access-token.ts';
import type { Grant } from './store.ts';

/** Prefix of refresh tokens. */
export const refreshTokenPrefix = 'crt_';

/**
 * The tokens of a session, as `POST /auth/login` and `POST /auth/refresh` answer them (names of RFC
 * 6749 section 5.1).
 */
export interface SessionTokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: 'Bearer';
  /** Seconds until the access token expires. */
  readonly expires_in: number;
  readonly session_id: string;
}

/** Signs the access token and pairs it with the refresh token. */
export const sessionTokens = (
  parts: IssueAccessTokenParts,
  grant: Grant,
  refreshToken: string,
  authorisedAtMs: number,
): SessionTokens => ({
  access_token: issueAccessToken(parts, grant, authorisedAtMs),
  refresh_token: refreshToken,
  token_type: 'Bearer',
  expires_in: parts.accessTokenSeconds,
  session_id: grant.sessionId,
});
