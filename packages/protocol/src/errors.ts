/**
 * The error table: every code that the service answers with, once. Codes are stable and a closed
 * union. Titles are for people and may change. Answers are RFC 9457 problem details with the code
 * in `code`. `docs/reference/errors.md` is generated from this table.
 * @module
 */

interface Described {
  /** One public sentence without variable parts. */
  readonly title: string;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
}

/** `error` parameter of the Bearer challenge (RFC 6750 section 3.1); `none`: it has no such parameter. */
type Challenge = 'none' | 'invalid_token' | 'insufficient_scope';

/**
 * The HTTP status of the answer, and the challenge in its header `WWW-Authenticate`. Each 401 must
 * carry one (RFC 9110 section 15.5.2): HTTP clients throw an error at a 401 without it.
 */
type Answered =
  | { readonly status: 401; readonly challenge: Challenge }
  | {
      readonly status: 400 | 403 | 404 | 405 | 408 | 409 | 413 | 415 | 429 | 431 | 500 | 501 | 503;
      readonly challenge?: Challenge;
    };

type ErrorKind = Described & Answered;

/** Every code, with its answer. */
export const errorTable = {
  body_malformed: { status: 400, title: 'The body is not valid JSON', retryable: false },
  body_invalid: { status: 400, title: 'A field is missing, unknown or of the wrong type', retryable: false },
  body_too_large: { status: 413, title: 'The body is larger than this route accepts', retryable: false },
  content_type_unsupported: { status: 415, title: 'The content type is not one this route accepts', retryable: false },
  content_encoding_unsupported: { status: 415, title: 'The body is compressed or encoded', retryable: false },
  header_duplicated: { status: 400, title: 'A header that may appear once appears more than once', retryable: false },
  header_invalid: { status: 400, title: 'A header is malformed', retryable: false },
  transfer_coding_unsupported: {
    status: 501,
    title: 'The transfer coding is not one this service knows',
    retryable: false,
  },
  request_malformed: { status: 400, title: 'The request is not valid HTTP', retryable: false },
  request_timeout: { status: 408, title: 'The request did not arrive in time', retryable: true },
  headers_too_large: { status: 431, title: 'The request header is larger than the service accepts', retryable: false },
  route_unknown: { status: 404, title: 'There is nothing at this path', retryable: false },
  method_unsupported: { status: 405, title: 'This path does not answer this method', retryable: false },
  origin_unlisted: { status: 403, title: 'Pages of this origin may not call the service', retryable: false },

  tenant_unknown: { status: 400, title: 'There is no such tenant', retryable: false },
  tenant_suspended: { status: 403, title: 'The tenant is suspended', retryable: false },
  tenant_not_found: { status: 404, title: 'There is no tenant with this id', retryable: false },
  tenant_taken: { status: 409, title: 'A tenant with this name exists', retryable: false },
  registration_refused: {
    status: 403,
    title: 'There is no such tenant, or it takes no such registration',
    retryable: false,
  },
  email_invalid: { status: 400, title: 'The email address is not valid', retryable: false },
  email_taken: { status: 409, title: 'An account with this email address exists', retryable: false },
  password_too_short: { status: 400, title: 'The password is too short', retryable: false },
  password_too_long: { status: 400, title: 'The password is too long', retryable: false },
  password_blocked: { status: 400, title: 'The password is one that attackers try first', retryable: false },
  password_unchanged: { status: 400, title: 'The new password is the current one', retryable: false },
  password_wrong: { status: 403, title: 'The current password is wrong', retryable: false },
  credentials_invalid: {
    status: 401,
    title: 'The email address or the password is wrong',
    retryable: false,
    challenge: 'none',
  },
  roles_too_large: {
    status: 403,
    title: 'The roles of the account do not fit into an access token',
    retryable: false,
  },
  account_disabled: { status: 403, title: 'The account is disabled', retryable: false },
  account_not_found: { status: 404, title: 'There is no such account in this tenant', retryable: false },
  import_line_invalid: { status: 400, title: 'A line of the import is not a valid account', retryable: false },

  token_missing: { status: 401, title: 'An access token is needed', retryable: false, challenge: 'none' },
  token_malformed: {
    status: 401,
    title: 'The access token is not in compact form',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_type_wrong: {
    status: 401,
    title: 'The token is not an access token',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_algorithm_refused: {
    status: 401,
    title: 'The token is not signed with the algorithm of its key',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_key_unknown: {
    status: 401,
    title: 'The token is signed with a key this service does not know',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_signature_invalid: {
    status: 401,
    title: 'The signature of the access token is wrong',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_expired: { status: 401, title: 'The access token has expired', retryable: false, challenge: 'invalid_token' },
  token_not_yet_valid: {
    status: 401,
    title: 'The access token is not valid yet',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_issuer_wrong: {
    status: 401,
    title: 'The access token comes from another issuer',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_audience_wrong: {
    status: 401,
    title: 'The access token is meant for another service',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_revoked: {
    status: 401,
    title: 'The access token has been revoked',
    retryable: false,
    challenge: 'invalid_token',
  },
  token_outdated: {
    status: 401,
    title: 'The rights of the account have changed since: refresh once',
    retryable: false,
    challenge: 'invalid_token',
  },

  grant_unsupported: { status: 400, title: 'The grant type is not one this service takes', retryable: false },
  client_missing: { status: 401, title: 'The client must authenticate', retryable: false, challenge: 'none' },
  client_invalid: { status: 401, title: 'The client or its secret is not known', retryable: false, challenge: 'none' },
  client_unauthorized: { status: 403, title: 'This client may not do this', retryable: false },
  revocation_unsupported: { status: 400, title: 'A token of this type is not revoked here', retryable: false },
  refresh_invalid: { status: 401, title: 'The refresh token is not known', retryable: false, challenge: 'none' },
  refresh_expired: { status: 401, title: 'The refresh token has expired', retryable: false, challenge: 'none' },
  refresh_superseded: {
    status: 401,
    title: 'The refresh token was replaced and its successor is already in use',
    retryable: false,
    challenge: 'none',
  },
  refresh_reused: {
    status: 401,
    title: 'The refresh token was used before: the session has been ended',
    retryable: false,
    challenge: 'none',
  },
  session_ended: { status: 401, title: 'The session has ended', retryable: false, challenge: 'none' },
  session_not_found: { status: 404, title: 'The account has no such session', retryable: false },

  admin_key_missing: { status: 401, title: 'An admin key is needed', retryable: false, challenge: 'none' },
  admin_key_invalid: { status: 401, title: 'The admin key is not known', retryable: false, challenge: 'invalid_token' },
  admin_key_expired: { status: 401, title: 'The admin key has expired', retryable: false, challenge: 'invalid_token' },
  admin_key_not_found: { status: 404, title: 'There is no admin key with this id', retryable: false },
  admin_scope_insufficient: {
    status: 403,
    title: 'The admin key may not do this',
    retryable: false,
    challenge: 'insufficient_scope',
  },

  guard_key_missing: { status: 401, title: 'A guard key is needed', retryable: false, challenge: 'none' },
  guard_key_invalid: { status: 401, title: 'The guard key is not known', retryable: false, challenge: 'invalid_token' },
  guard_key_expired: { status: 401, title: 'The guard key has expired', retryable: false, challenge: 'invalid_token' },
  guard_key_not_found: { status: 404, title: 'There is no guard key with this id', retryable: false },
  guard_cursor_invalid: {
    status: 400,
    title: 'The cursor was not made by this service for this guard key',
    retryable: false,
  },
  guard_audience_wrong: {
    status: 400,
    title: 'The service gives out tokens for another audience',
    retryable: false,
  },
  guard_outdated: {
    status: 409,
    title: 'The guard does not know every kind of revocation: upgrade it',
    retryable: false,
  },
  guard_not_live: { status: 409, title: 'The guard is not registered any more: register again', retryable: false },
  guards_too_many: { status: 429, title: 'As many guards are registered as there may be', retryable: true },
  guards_unsteady: {
    status: 429,
    title: 'Guards with this key have fallen silent several times in a short time',
    retryable: true,
  },
  guards_unavailable: {
    status: 503,
    title: 'No guard can be registered while an older version serves beside this one',
    retryable: true,
  },
  guard_polls_too_many: { status: 503, title: 'This process holds as many polls as it may', retryable: true },

  signing_key_not_found: { status: 404, title: 'There is no signing key with this id', retryable: false },
  signing_key_unavailable: {
    status: 503,
    title: 'The signing key was killed, and this process does not know its successor yet',
    retryable: true,
  },

  hashing_busy: {
    status: 503,
    title: 'More passwords are waiting to be checked than this machine can check in time',
    retryable: true,
  },
  revocation_unknown: { status: 503, title: 'It is not known whether the revocation was recorded', retryable: true },
  revocation_state_unavailable: {
    status: 503,
    title: 'This process cannot prove that it knows the latest revocations',
    retryable: true,
  },
  store_unavailable: { status: 503, title: 'The database does not answer', retryable: true },
  clock_wrong: {
    status: 503,
    title: 'The clocks of this machine and of the database differ by more than a minute',
    retryable: true,
  },
  overloaded: { status: 503, title: 'This process holds as many connections as it may', retryable: true },
  shutting_down: { status: 503, title: 'The service is stopping', retryable: true },
  internal_error: { status: 500, title: 'The service failed to answer', retryable: false },
} as const satisfies Record<string, ErrorKind>;

/** A code of the error table. */
export type ErrorCode = keyof typeof errorTable;

/** Looks a code up with the table's common type. */
export const errorKind = (code: ErrorCode): ErrorKind => errorTable[code];

/** The `type` of a problem (RFC 9457 section 3.1.1). */
export const problemType = (code: string): string => `urn:catalytic:error:${code}`;

/**
 * The challenge of a 401 or 403 (RFC 6750 section 3): the scheme is followed by at least one parameter. An answer that judges no access token
 * has no `error`.
 * @param facts further parameters, such as `max_age="300"`
 */
export const bearerChallenge = (error: string | undefined, title: string, facts: readonly string[] = []): string => {
  const judged = error === undefined ? [] : [`error="${error}"`, `error_description="${title}"`];
  return `Bearer ${['realm="catalytic"', ...judged, ...facts].join(', ')}`;
};

/** RFC 9457 problem details, as every error answer carries them. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  /** What failed and the current state; never a token, password or claim. */
  readonly detail?: string;
  readonly request_id?: string;
  /** The fields that did not validate, by JSON pointer. */
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

/**
 * A refusal with a code of the table. Only this class becomes an answer with its own code; every
 * other error becomes `internal_error`.
 */
export class CatalyticError extends Error {
  override readonly name = 'CatalyticError';
  readonly code: ErrorCode;
  readonly retryAfterSeconds: number | undefined;
  readonly fields: Problem['errors'];

  constructor(
    code: ErrorCode,
    options: { detail?: string; retryAfterSeconds?: number; fields?: Problem['errors']; cause?: unknown } = {},
  ) {
    super(options.detail ?? errorTable[code].title, { cause: options.cause });
    this.code = code;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.fields = options.fields;
  }
}
