/**
 * Routes of sessions: sign in, refresh, sign out.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { emailCharactersMax } from '../accounts/rules.ts';
import type { Propagation } from '../revocation/barrier.ts';
import { type Answer, type Route, route } from '../route.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import { type LogInParts, logIn } from './log-in.ts';
import { type LogOutParts, logOut, logOutEverywhere } from './log-out.ts';
import { type RefreshSessionParts, refreshSession } from './refresh-session.ts';

/** Longest password text a request may carry, UTF-16 units: any longer one cannot be right. */
const passwordUnitsMax = 1024;

const LoginBody = Type.Object(
  {
    email: Type.String({ minLength: 1, maxLength: emailCharactersMax }),
    password: Type.String({ minLength: 1, maxLength: passwordUnitsMax }),
    tenant: Type.Optional(Type.String({ pattern: tenantNamePattern })),
  },
  { additionalProperties: false },
);

const RefreshBody = Type.Object(
  { refresh_token: Type.String({ minLength: 1, maxLength: 256 }) },
  { additionalProperties: false },
);

const SessionTokensAnswer = Type.Object({
  access_token: Type.String(),
  refresh_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer(),
  session_id: Type.String(),
});

const RevokedAnswer = Type.Object({ revoked: Type.Literal(true), propagation: Type.Literal('complete') });

const PendingAnswer = Type.Object({
  revoked: Type.Literal(true),
  propagation: Type.Literal('pending'),
  complete_within_ms: Type.Integer(),
});

const revokedAnswer = (result: Propagation): Answer =>
  result.propagation === 'complete'
    ? { status: 200, body: { revoked: true, propagation: 'complete' } }
    : { status: 202, body: { revoked: true, propagation: 'pending', complete_within_ms: result.completeWithinMs } };

/** The routes, over their use cases. */
export const sessionRoutes = (parts: LogInParts & RefreshSessionParts & LogOutParts): readonly Route[] => [
  route({
    method: 'POST',
    path: paths.login,
    summary: 'Sign in with email and password',
    access: { kind: 'public' },
    body: LoginBody,
    answers: { 200: SessionTokensAnswer },
    handle: async ({ body }) => ({ status: 200, body: await logIn(parts, body) }),
  }),
  route({
    method: 'POST',
    path: paths.refresh,
    summary: 'Trade a refresh token for the next pair of tokens',
    access: { kind: 'public' },
    body: RefreshBody,
    answers: { 200: SessionTokensAnswer },
    handle: async ({ body }) => ({ status: 200, body: await refreshSession(parts, body.refresh_token) }),
  }),
  route({
    method: 'POST',
    path: paths.logout,
    summary: 'Sign out: end the session of the access token',
    access: { kind: 'bearer-signing-out' },
    answers: { 200: RevokedAnswer, 202: PendingAnswer },
    handle: async ({ token }) => revokedAnswer(await logOut(parts, token)),
  }),
  route({
    method: 'POST',
    path: paths.logoutAll,
    summary: 'Sign out everywhere: end every session of the account',
    access: { kind: 'bearer-signing-out' },
    answers: { 200: RevokedAnswer, 202: PendingAnswer },
    handle: async ({ token }) => revokedAnswer(await logOutEverywhere(parts, token)),
  }),
];
