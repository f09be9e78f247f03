/**
 * Routes of access tokens: verify, and a sample of a protected resource.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';

const text = (description: string, example: string) => Type.String({ description, examples: [example] });
const seconds = (description: string, example: number) => Type.Integer({ description, examples: [example] });

const sub = text('The account.', '01a2119f-28ab-7cd0-9da2-d1309a4329b7');
const tid = text('The tenant.', '01a2119f-24ed-72ac-911e-1ef07c744860');
const sid = text('The session.', '01a2119f-28d4-7e12-9bca-90460dcb48da');
const jti = text('The token.', 'f65d534b-5b1d-47ea-aed0-010bc74e5eb2');
const exp = seconds('When it expires, seconds since 1970.', 1_767_226_500);
const roles = Type.Array(Type.String(), { description: 'Roles of the account.', examples: [[]] });

const Claims = Type.Object(
  {
    iss: text('The issuer.', 'https://id.example.com'),
    sub,
    aud: text('The audience: the service that the token is for.', 'https://id.example.com'),
    iat: seconds('When it was issued, seconds since 1970.', 1_767_225_600),
    nbf: Type.Optional(seconds('When it begins to be valid: a minute before `iat`.', 1_767_225_540)),
    exp,
    jti,
    sid,
    tid,
    client_id: text('The client that signed in.', 'catalytic'),
    scope: Type.String({ description: 'Scopes, separated by spaces.', examples: [''] }),
    roles,
    amr: Type.Array(Type.String(), {
      description: 'How the account was authenticated (RFC 8176).',
      examples: [['pwd']],
    }),
    auth_time: seconds('When the password was last checked.', 1_767_225_600),
  },
  { title: 'Claims', description: 'Claims of the access token (RFC 9068).' },
);

const VerifiedAnswer = Type.Object(
  {
    active: Type.Boolean({
      description: 'Always true. A token that is not accepted is refused with 401.',
      examples: [true],
    }),
    sub,
    tid,
    sid,
    jti,
    exp,
    roles,
  },
  { title: 'VerifiedToken', description: 'The token is accepted now.' },
);

const ProtectedAnswer = Type.Object(
  { message: text('A greeting.', 'You are signed in'), claims: Claims },
  { title: 'ProtectedResource', description: 'The resource: the claims of the caller.' },
);

/** The body that accepts a token. */
export const verifiedBody = ({ claims }: SignedToken): unknown => ({
  active: true,
  sub: claims.sub,
  tid: claims.tid,
  sid: claims.sid,
  jti: claims.jti,
  exp: claims.exp,
  roles: claims.roles,
});

/**
 * The routes. The pipeline has judged the token before it calls them: they only show its claims.
 */
export const accessTokenRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: paths.verify,
    summary: 'Is this access token accepted now?',
    description:
      'No store is read: signature, times and the live revocations in the memory of the process decide. After a sign-out has answered 200, every process answers `token_revoked`.',
    access: { kind: 'bearer' },
    answers: { 200: VerifiedAnswer },
    handle: ({ token }) => ({ status: 200, body: verifiedBody(token) }),
  }),
  route({
    method: 'GET',
    path: paths.protectedSample,
    summary: 'A sample of a protected resource',
    description: 'It does what a protected route of your API does: refuse, or answer with the claims of the caller.',
    access: { kind: 'bearer' },
    answers: { 200: ProtectedAnswer },
    handle: ({ token }) => ({ status: 200, body: { message: 'You are signed in', claims: token.claims } }),
  }),
];
