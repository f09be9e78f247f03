/**
 * The token endpoint of OAuth 2.0 (RFC 6749 section 3.2), with the grant that this service has: a
 * refresh token for the next pair. Libraries that speak OAuth refresh with it.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { formBody, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { type RefreshSessionParts, refreshSession } from '../sessions/refresh-session.ts';
import { refreshRefusals, refreshTokenField, SessionTokensAnswer } from '../sessions/session-schemas.ts';
import { oauthErrorFormat } from './oauth-errors.ts';

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
