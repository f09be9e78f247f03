/**
 * Routes of signing keys: the JWKS, and the metadata that names its address.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { type Static, Type } from '../schema.ts';
import type { KeyRing } from './key-ring.ts';
import { jwksMaxAgeSeconds } from './rules.ts';

const JwksAnswer = Type.Object(
  {
    keys: Type.Array(Type.Record(Type.String()), {
      description: 'The keys, a new one well before it signs and an old one until its last token has expired.',
      examples: [
        [
          {
            kty: 'EC',
            x: 'EUAvKFJfITomnQ3BQxcIb4SVImAbfTTygYK8r0j6fMA',
            y: 'EPh7isEjlkGmWAW6ruDppxIA_yD6f2r3bugDOZ_V1gE',
            crv: 'P-256',
            kid: 'zE3jW-iYHi-rkAk4rhLTbIAdAbWtGiJj-7UXJB2KLPU',
            alg: 'ES256',
            use: 'sig',
          },
        ],
      ],
    }),
  },
  { title: 'Jwks', description: 'The keys.' },
);

const MetadataAnswer = Type.Object(
  {
    issuer: Type.String({ description: 'Claim `iss` of every token.', examples: ['https://id.example.com'] }),
    jwks_uri: Type.String({
      description: 'The address of the keys.',
      examples: [`https://id.example.com${paths.jwks}`],
    }),
    token_endpoint: Type.String({
      description: 'Where OAuth clients trade a refresh token for the next pair.',
      examples: [`https://id.example.com${paths.token}`],
    }),
    token_endpoint_auth_methods_supported: Type.Array(Type.String(), {
      description: 'None is needed: clients have no secrets.',
      examples: [['none']],
    }),
    grant_types_supported: Type.Array(Type.String(), {
      description: 'People sign in at `POST /auth/login`, which is no grant of OAuth.',
      examples: [['refresh_token']],
    }),
    response_types_supported: Type.Array(Type.String(), {
      description: '`none`: there is no authorization endpoint.',
      examples: [['none']],
    }),
  },
  { title: 'IssuerMetadata', description: 'The metadata.' },
);

const cacheControl = `public, max-age=${jwksMaxAgeSeconds}`;

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
  };
};

/** The routes. */
export const signingKeyRoutes = (keys: KeyRing, issuer: string): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.jwks,
    summary: 'Public keys of the access tokens (RFC 7517)',
    access: { kind: 'public' },
    answers: { 200: JwksAnswer },
    handle: () => ({ status: 200, body: keys.jwks(), cacheControl, headers: { etag: `"${keys.jwksTag}"` } }),
  }),
  route({
    method: 'GET',
    path: paths.authorizationServer,
    summary: 'Metadata of the issuer (RFC 8414)',
    access: { kind: 'public' },
    answers: { 200: MetadataAnswer },
    handle: () => ({
      status: 200,
      body: metadataOf(issuer),
      cacheControl,
    }),
  }),
];
