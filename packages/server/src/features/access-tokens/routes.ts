/**
 * Routes of access tokens: verify, and a sample of a protected resource.
 * @module
 */
import type { SignedToken } from '@catalytic/guard/signature-checks';
import { identityHeaderNames, identityHeaders } from '@catalytic/protocol/identity-headers';
import { paths } from '@catalytic/protocol/paths';
import { type Answer, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { claimFields } from './claim-fields.ts';

const { sub, tid, sid, jti, exp, roles } = claimFields;

const Claims = Type.Object(claimFields, {
  title: 'Claims',
  description: 'Claims of the access token (RFC 9068).',
});

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
  { message: Type.String({ description: 'A greeting.', examples: ['You are signed in'] }), claims: Claims },
  { title: 'ProtectedResource', description: 'The resource: the claims of the caller.' },
);

const NoBody = Type.String({
  title: 'NoBody',
  description: `The token is accepted now. Its owner is in the headers ${Object.values(identityHeaderNames).join(', ')}; there is no body.`,
});

/** The answer that accepts a token. */
export const verifiedAnswer = ({ claims }: SignedToken): Answer => ({
  status: 200,
  headers: identityHeaders(claims),
  body: {
    active: true,
    sub: claims.sub,
    tid: claims.tid,
    sid: claims.sid,
    jti: claims.jti,
    exp: claims.exp,
    roles: claims.roles,
  },
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
      'No store is read: signature, times and the live revocations in the memory of the process decide. After a sign-out has answered 200, every process answers `token_revoked`. The headers `Catalytic-Subject`, `-Tenant`, `-Session`, `-Roles`, `-Scope` and `-Expires` of a 200 tell a gateway whose request it is.',
    access: { kind: 'bearer' },
    answers: { 200: VerifiedAnswer },
    handle: ({ token }) => verifiedAnswer(token),
  }),
  route({
    method: 'GET',
    path: paths.gateway,
    summary: 'The same for a gateway, by any method',
    description:
      'Every method is taken for GET, and any path below this one, with any query, for this path. A body is thrown away unread. A gateway copies the headers into the request that it passes on.',
    access: { kind: 'bearer' },
    textType: 'text/plain',
    answers: { 200: NoBody },
    handle: ({ token }) => ({
      status: 200,
      headers: identityHeaders(token.claims),
      body: '',
      contentType: 'text/plain',
    }),
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
