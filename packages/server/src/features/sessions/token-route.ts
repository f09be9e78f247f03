/**
 * The token endpoint of OAuth 2.0 (RFC 6749 section 3.2), with the grant that this service has: a
 * refresh token for the next pair. Libraries that speak OAuth refresh with it.
 * @module
 */
import { CatalyticError, type ErrorCode, errorKind } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { formBody, type ProblemFormat, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { type RefreshSessionParts, refreshSession } from './refresh-session.ts';
import { refreshRefusals, refreshTokenField, SessionTokensAnswer } from './session-schemas.ts';

/** Errors of RFC 6749 section 5.2; those of other statuses have no word there. */
const oauthErrors = [
  'invalid_grant',
  'unsupported_grant_type',
  'invalid_request',
  'temporarily_unavailable',
  'server_error',
];

const oauthErrorOf = (code: ErrorCode): string => {
  if (code === 'grant_unsupported') return 'unsupported_grant_type';
  const { status } = errorKind(code);
  if ((refreshRefusals as readonly ErrorCode[]).includes(code) && status < 500) return 'invalid_grant';
  if (status < 500 || status === 501) return 'invalid_request';
  return status === 503 ? 'temporarily_unavailable' : 'server_error';
};

/** Refusals in the form of RFC 6749 section 5.2, with our code beside. */
const oauthErrorFormat: ProblemFormat = {
  mediaType: 'application/json',
  statusOf: (code) => (oauthErrorOf(code) === 'invalid_grant' ? 400 : errorKind(code).status),
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

// Fields that the service does not know are ignored (RFC 6749 section 3.2).
const TokenBody = Type.Object(
  {
    grant_type: Type.String({ description: '`refresh_token`.', maxLength: 64, examples: ['refresh_token'] }),
    refresh_token: Type.Optional(refreshTokenField),
    client_id: Type.Optional(
      Type.String({ description: 'Not looked at: the clients of this service have no secrets.', maxLength: 256 }),
    ),
  },
  { title: 'TokenRequest' },
);

/** The route. */
export const tokenRoute = (parts: RefreshSessionParts): Route =>
  route({
    method: 'POST',
    path: paths.token,
    summary: 'Trade a refresh token for the next pair of tokens, as OAuth 2.0 does (RFC 6749 section 6)',
    description: 'What `POST /auth/refresh` does, for libraries that speak OAuth. There is no other grant type.',
    access: { kind: 'public' },
    refuses: ['grant_unsupported', ...refreshRefusals],
    problemFormat: oauthErrorFormat,
    bodyFormat: formBody,
    body: TokenBody,
    answers: { 200: SessionTokensAnswer },
    handle: async ({ body: { grant_type: grantType, refresh_token: presented }, origin }) => {
      if (grantType !== 'refresh_token') throw new CatalyticError('grant_unsupported');
      if (presented === undefined)
        throw new CatalyticError('body_invalid', { detail: 'This grant needs the field refresh_token' });
      return { status: 200, body: await refreshSession(parts, presented, origin()) };
    },
  });
