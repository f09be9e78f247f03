/**
 * What a guard refuses a request with: a closed union of codes, the challenge (RFC 6750 section 3) and problem details (RFC 9457), as the
 * service writes them.
 * @module
 */
import { bearerChallenge, type ErrorCode, errorTable, problemType } from '@catalytic/protocol/errors';

/** Codes that the service says of a token. */
export type TokenCode = Extract<ErrorCode, `token_${string}`>;

/** Codes of a guard's own. */
const ownCodes = {
  tenant_wrong: { status: 403, title: 'The access token belongs to another tenant', error: 'insufficient_scope' },
  role_missing: { status: 403, title: 'The account lacks a role that is needed here', error: 'insufficient_scope' },
  scope_missing: {
    status: 403,
    title: 'The access token lacks a scope that is needed here',
    error: 'insufficient_scope',
  },
  sign_in_too_old: {
    status: 401,
    title: 'The sign-in is too long ago for this: sign in again',
    // RFC 9470 section 3.
    error: 'insufficient_user_authentication',
  },
  verdict_unavailable: {
    status: 503,
    title: 'It cannot be known now whether the access token is alive',
    error: undefined,
  },
} as const;

/** Why a guard refuses a request. */
export type RefusalCode = TokenCode | keyof typeof ownCodes;

/** A refused request. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly status: 401 | 403 | 503;
  /** One public sentence without variable parts. */
  readonly title: string;
  /** The header fields of the answer, by names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body of the answer: problem details as JSON. */
  readonly body: string;
}

/** Seconds after which a client may ask again when no verdict is to be had. */
const retryAfterSeconds = 1;

const describe = (code: RefusalCode): { status: 401 | 403 | 503; title: string; error: string | undefined } => {
  if (code in ownCodes) return ownCodes[code as keyof typeof ownCodes];
  const { status, title, challenge } = errorTable[code as TokenCode];
  return { status, title, error: challenge === 'none' ? undefined : challenge };
};

/**
 * Builds a refusal.
 * @param facts further parameters of the challenge, such as `max_age="300"`
 */
export const refuse = (code: RefusalCode, facts: readonly string[] = []): Refusal => {
  const { status, title, error } = describe(code);
  const body = JSON.stringify({ type: problemType(code), title, status, code });
  return {
    code,
    status,
    title,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(status === 503
        ? { 'retry-after': String(retryAfterSeconds) }
        : { 'www-authenticate': bearerChallenge(error, title, facts) }),
    },
    body,
  };
};

/** Whether a text is a code that the service says of a token. */
export const isTokenCode = (code: unknown): code is TokenCode =>
  typeof code === 'string' && code.startsWith('token_') && Object.hasOwn(errorTable, code);
