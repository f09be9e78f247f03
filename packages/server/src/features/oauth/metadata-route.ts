/**
 * The metadata of the issuer (RFC 8414): where its endpoints are, and what they take.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { type Static, Type } from '../schema.ts';
import { jwksMaxAgeSeconds } from '../signing-keys/rules.ts';

/** An endpoint below the example of an issuer. */
const endpoint = (path: string, description: string) =>
  Type.String({ description, examples: [`https://id.example.com${path}`] });

const words = (example: readonly string[], description: string) =>
  Type.Array(Type.String(), { description, examples: [example] });

/** How a key authenticates as a client (RFC 6749 section 2.3.1). */
const secretMethods = ['client_secret_basic', 'client_secret_post'];

const MetadataAnswer = Type.Object(
  {
    issuer: Type.String({ description: 'Claim `iss` of every token.', examples: ['https://id.example.com'] }),
    jwks_uri: endpoint(paths.jwks, 'The address of the keys.'),
    token_endpoint: endpoint(paths.token, 'Where OAuth clients trade a refresh token for the next pair.'),
    token_endpoint_auth_methods_supported: words(['none'], 'None is needed: clients have no secrets.'),
    grant_types_supported: words(
      ['refresh_token'],
      'People sign in at `POST /auth/login`, which is no grant of OAuth.',
    ),
    response_types_supported: words(['none'], '`none`: there is no authorization endpoint.'),
    introspection_endpoint: endpoint(paths.introspect, 'Where a resource asks what a token is worth (RFC 7662).'),
    introspection_endpoint_auth_methods_supported: words(secretMethods, 'The client is a guard key or an admin key.'),
    revocation_endpoint: endpoint(paths.revoke, 'Where a client revokes a token (RFC 7009).'),
    revocation_endpoint_auth_methods_supported: words(
      ['none', ...secretMethods],
      'None is needed to revoke a token that one holds; else the client is an admin key.',
    ),
  },
  { title: 'IssuerMetadata', description: 'The metadata.' },
);

/**
 * The metadata. Members that a reader would assume a default for are given (RFC 8414 section 2):
 * without `grant_types_supported` the service would promise an authorization endpoint.
 */
const metadataOf = (issuer: string): Static<typeof MetadataAnswer> => {
  const base = issuer.replace(/\/$/, '');
  return {
    issuer,
    jwks_uri: `${base}${paths.jwks}`,
    token_endpoint: `${base}${paths.token}`,
    token_endpoint_auth_methods_supported: ['none'],
    grant_types_supported: ['refresh_token'],
    // Required, and an empty list would have to be left out (section 3.2).
    response_types_supported: ['none'],
    introspection_endpoint: `${base}${paths.introspect}`,
    introspection_endpoint_auth_methods_supported: secretMethods,
    revocation_endpoint: `${base}${paths.revoke}`,
    revocation_endpoint_auth_methods_supported: ['none', ...secretMethods],
  };
};

/** The route. */
export const metadataRoute = (issuer: string): Route =>
  route({
    method: 'GET',
    path: paths.authorizationServer,
    summary: 'Metadata of the issuer (RFC 8414)',
    access: { kind: 'public' },
    answers: { 200: MetadataAnswer },
    handle: () => ({
      status: 200,
      body: metadataOf(issuer),
      cacheControl: `public, max-age=${jwksMaxAgeSeconds}`,
    }),
  });
