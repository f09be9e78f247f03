/**
 * How the endpoints of OAuth refuse: the errors of RFC 6749 section 5.2, with our code beside.
 * @module
 */
import { type ErrorCode, errorKind } from '@catalytic/protocol/errors';
import type { ProblemFormat } from '../route.ts';
import { refreshRefusals } from '../sessions/session-schemas.ts';

/** Codes that a client is refused with, whichever key it shows. */
export const clientRefusals = [
  'client_missing',
  'client_invalid',
  'guard_key_invalid',
  'guard_key_expired',
  'admin_key_invalid',
  'admin_key_expired',
  'admin_scope_insufficient',
  'store_unavailable',
] as const satisfies readonly ErrorCode[];

/** The codes for which OAuth has a word. */
const namedErrors = {
  grant_unsupported: 'unsupported_grant_type',
  revocation_unsupported: 'unsupported_token_type',
  client_unauthorized: 'unauthorized_client',
  admin_scope_insufficient: 'unauthorized_client',
  client_missing: 'invalid_client',
  client_invalid: 'invalid_client',
  guard_key_invalid: 'invalid_client',
  guard_key_expired: 'invalid_client',
  admin_key_invalid: 'invalid_client',
  admin_key_expired: 'invalid_client',
} as const satisfies Partial<Record<ErrorCode, string>>;

const named: ReadonlyMap<string, string> = new Map(Object.entries(namedErrors));

/** Errors that OAuth answers with 400 whatever our table says (RFC 6749 section 5.2). */
const badRequests: readonly string[] = ['invalid_grant', 'unauthorized_client'];

/** Errors of RFC 6749 section 5.2 and RFC 7009 section 2.2.1; those of other statuses have no word there. */
const oauthErrors = [
  ...new Set(Object.values(namedErrors)),
  'invalid_grant',
  'invalid_request',
  'temporarily_unavailable',
  'server_error',
];

const oauthErrorOf = (code: ErrorCode): string => {
  const name = named.get(code);
  if (name !== undefined) return name;
  const { status } = errorKind(code);
  if ((refreshRefusals as readonly ErrorCode[]).includes(code) && status < 500) return 'invalid_grant';
  if (status < 500 || status === 501) return 'invalid_request';
  return status === 503 ? 'temporarily_unavailable' : 'server_error';
};

/** Refusals in the form of RFC 6749 section 5.2. */
export const oauthErrorFormat: ProblemFormat = {
  mediaType: 'application/json',
  statusOf: (code) => (badRequests.includes(oauthErrorOf(code)) ? 400 : errorKind(code).status),
  // RFC 7617 section 2: the scheme with which a client can try again.
  challenge: 'Basic realm="catalytic", charset="UTF-8"',
  bodyOf: ({ code, message }, requestId) => ({
    error: oauthErrorOf(code),
    error_description: message,
    code,
    ...(requestId === undefined ? {} : { request_id: requestId }),
  }),
  schemaOf: (codes) => ({
    title: 'OauthError',
    type: 'object',
    required: ['error', 'code'],
    properties: {
      error: {
        type: 'string',
        enum: oauthErrors.filter((error) => codes.some((code) => oauthErrorOf(code) === error)),
      },
      error_description: { type: 'string' },
      code: { type: 'string', enum: codes },
      request_id: { type: 'string' },
    },
  }),
};
