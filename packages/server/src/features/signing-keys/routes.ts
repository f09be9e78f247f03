/**
 * Routes of signing keys: the JWKS, and the metadata that leads to it.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { type Route, route } from '../route.ts';
import type { KeyRing } from './key-ring.ts';
import { jwksMaxAgeSeconds } from './rules.ts';

const JwksAnswer = Type.Object({ keys: Type.Array(Type.Record(Type.String(), Type.String())) });

const MetadataAnswer = Type.Object({
  issuer: Type.String(),
  jwks_uri: Type.String(),
  response_types_supported: Type.Array(Type.String()),
});

const cacheControl = `public, max-age=${jwksMaxAgeSeconds}`;

/** The routes. */
export const signingKeyRoutes = (keys: KeyRing, issuer: string): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.jwks,
    summary: 'Public keys of the access tokens (RFC 7517)',
    access: { kind: 'public' },
    answers: { 200: JwksAnswer },
    handle: () => ({ status: 200, body: keys.jwks(), cacheControl }),
  }),
  route({
    method: 'GET',
    path: paths.authorizationServer,
    summary: 'Metadata of the issuer (RFC 8414)',
    access: { kind: 'public' },
    answers: { 200: MetadataAnswer },
    handle: () => ({
      status: 200,
      // No authorization endpoint exists, so no response type is supported; RFC 8414 section 2 wants the member nevertheless.
      body: { issuer, jwks_uri: `${issuer.replace(/\/$/, '')}${paths.jwks}`, response_types_supported: [] },
      cacheControl,
    }),
  }),
];
