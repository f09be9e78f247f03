/**
 * Routes of access tokens: verify, and a sample of a protected resource.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { type Route, route } from '../route.ts';

const Claims = Type.Object({
  iss: Type.String(),
  sub: Type.String(),
  aud: Type.String(),
  iat: Type.Integer(),
  nbf: Type.Integer(),
  exp: Type.Integer(),
  jti: Type.String(),
  sid: Type.String(),
  tid: Type.String(),
  client_id: Type.String(),
  scope: Type.String(),
  roles: Type.Array(Type.String()),
  amr: Type.Array(Type.String()),
  auth_time: Type.Integer(),
});

const VerifiedAnswer = Type.Object({
  active: Type.Literal(true),
  sub: Type.String(),
  tid: Type.String(),
  sid: Type.String(),
  jti: Type.String(),
  exp: Type.Integer(),
  roles: Type.Array(Type.String()),
});

const ProtectedAnswer = Type.Object({ message: Type.String(), claims: Claims });

/** The body that says yes to a verify. */
export const verifiedBody = ({ claims }: SignedToken): unknown => ({
  active: true,
  sub: claims.sub,
  tid: claims.tid,
  sid: claims.sid,
  jti: claims.jti,
  exp: claims.exp,
  roles: claims.roles,
});

/** The routes. The pipeline has judged the token before they are called: they only show what it says. */
export const accessTokenRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: paths.verify,
    summary: 'Is this access token accepted now?',
    access: { kind: 'bearer' },
    answers: { 200: VerifiedAnswer },
    handle: ({ token }) => ({ status: 200, body: verifiedBody(token) }),
  }),
  route({
    method: 'GET',
    path: paths.protectedSample,
    summary: 'A sample of a protected resource',
    access: { kind: 'bearer' },
    answers: { 200: ProtectedAnswer },
    handle: ({ token }) => ({ status: 200, body: { message: 'You are signed in', claims: token.claims } }),
  }),
];
