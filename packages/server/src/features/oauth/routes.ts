/**
 * Routes of OAuth 2.0: what libraries and gateways that speak its standards find here.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { claimFields } from '../access-tokens/claim-fields.ts';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { formBody, type Route, route } from '../route.ts';
import { type Schema, Type } from '../schema.ts';
import type { RefreshSessionParts } from '../sessions/refresh-session.ts';
import { type CheckClientParts, checkClient } from './check-client.ts';
import { type IntrospectTokenParts, introspectToken } from './introspect-token.ts';
import { metadataRoute } from './metadata-route.ts';
import { clientRefusals, oauthErrorFormat } from './oauth-errors.ts';
import { type RevokeTokenParts, revokeToken } from './revoke-token.ts';
import { tokenRoute } from './token-route.ts';

// Fields that the service does not know are ignored (RFC 6749 section 3.2).
const tokenFields = {
  token: Type.String({
    minLength: 1,
    description: 'An access token or a refresh token.',
    examples: ['eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6…'],
  }),
  token_type_hint: Type.Optional(
    Type.String({ description: 'Not needed: the token itself shows its type.', examples: ['access_token'] }),
  ),
  client_id: Type.Optional(Type.String({ description: 'Id of the key, of a client that does not use HTTP Basic.' })),
  client_secret: Type.Optional(
    Type.String({ format: 'password', description: 'The key, of a client that does not use HTTP Basic.' }),
  ),
};

const IntrospectBody = Type.Object(tokenFields, { title: 'IntrospectionRequest' });
const RevokeBody = Type.Object(tokenFields, { title: 'RevocationRequest' });

const IntrospectionAnswer = Type.Object(
  {
    active: Type.Boolean({
      description: 'Whether the token is accepted now. If it is not, nothing else is told.',
      examples: [true],
    }),
    token_type: Type.Optional(
      Type.String({
        description: '`Bearer`; `N_A` of a refresh token, which opens no resource.',
        examples: ['Bearer'],
      }),
    ),
    ...Object.fromEntries(Object.entries<Schema>(claimFields).map(([name, field]) => [name, Type.Optional(field)])),
    scope: Type.Optional(Type.String({ description: 'Scopes, separated by spaces; absent: none.' })),
  },
  { title: 'Introspection', description: 'What the token is worth now; true of this moment only.' },
);

const introspectRoute = (parts: CheckClientParts & IntrospectTokenParts): Route =>
  route({
    method: 'POST',
    path: paths.introspect,
    summary: 'Is this token accepted now, and what does it say? As OAuth 2.0 asks (RFC 7662)',
    description:
      'What `GET /auth/verify` answers, for products that speak OAuth. The client is a guard key, for access tokens, or an admin key with `accounts:read`, for refresh tokens as well; a key of one tenant sees the tokens of no other. Do not keep the answer: a sign-out waits for no copy of it.',
    access: { kind: 'client' },
    refuses: [...clientRefusals, 'revocation_state_unavailable', 'clock_wrong'],
    problemFormat: oauthErrorFormat,
    bodyFormat: formBody,
    body: IntrospectBody,
    answers: { 200: IntrospectionAnswer },
    handle: async ({ authorization, body, origin }) => {
      const client = await checkClient(parts, { authorization, body }, 'accounts:read', origin);
      if (client === undefined) throw new CatalyticError('client_missing');
      return { status: 200, body: await introspectToken(parts, client, body.token) };
    },
  });

const revokeRoute = (parts: CheckClientParts & RevokeTokenParts): Route =>
  route({
    method: 'POST',
    path: paths.revoke,
    summary: 'Revoke a token and end its session, as OAuth 2.0 does (RFC 7009)',
    description:
      'What `POST /auth/logout` does, with its answers. Whoever holds the token may revoke it without authenticating, or as an admin key with `accounts:write`. A guard key may not. What is no token of this service is answered with 200.',
    access: { kind: 'client' },
    refuses: [
      ...clientRefusals.filter((code) => code !== 'client_missing'),
      'client_unauthorized',
      'revocation_unsupported',
      'revocation_unknown',
      'revocation_state_unavailable',
      'clock_wrong',
    ],
    problemFormat: oauthErrorFormat,
    bodyFormat: formBody,
    body: RevokeBody,
    answers: revokedAnswers,
    handle: async ({ authorization, body, origin }) => {
      const client = await checkClient(parts, { authorization, body }, 'accounts:write', origin);
      return revokedAnswer(await revokeToken(parts, client, body.token, origin()));
    },
  });

/** The routes, over their use cases. */
export const oauthRoutes = (
  parts: RefreshSessionParts & CheckClientParts & IntrospectTokenParts & RevokeTokenParts,
): readonly Route[] => [tokenRoute(parts), introspectRoute(parts), revokeRoute(parts), metadataRoute(parts.issuer)];
