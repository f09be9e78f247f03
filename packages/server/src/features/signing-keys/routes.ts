/**
 * Routes of signing keys: the JWKS.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
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

/** The routes. */
export const signingKeyRoutes = (keys: KeyRing): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.jwks,
    summary: 'Public keys of the access tokens (RFC 7517)',
    access: { kind: 'public' },
    answers: { 200: JwksAnswer },
    handle: () => ({
      status: 200,
      body: keys.jwks(),
      cacheControl: `public, max-age=${jwksMaxAgeSeconds}`,
      headers: { etag: `"${keys.jwksTag}"` },
    }),
  }),
];
