/**
 * Routes of sessions: sign in, refresh, sign out, look at them, change the password.
 * @module
 */
import type { SessionId } from '@catalytic/protocol/ids';
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { emailCharactersMax } from '../accounts/rules.ts';
import {
  propagationAnswer,
  propagationAnswers,
  revokedAnswer,
  revokedAnswers,
} from '../revocation/propagation-answer.ts';
import { IdParams, type Route, route } from '../route.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import { type ChangePasswordParts, changePassword } from './change-password.ts';
import { endOwnSession } from './end-session.ts';
import { type ListSessionsParts, listSessions, SessionsAnswer, SessionsQuery } from './list-sessions.ts';
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

const sessionTokens = {
  access_token: Type.String(),
  refresh_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer(),
  session_id: Type.String(),
};

const SessionTokensAnswer = Type.Object(sessionTokens);

const PasswordBody = Type.Object(
  {
    current_password: Type.String({ minLength: 1, maxLength: passwordUnitsMax }),
    // Judged by the rules, not the schema: their answers say what to do.
    new_password: Type.String({ maxLength: passwordUnitsMax }),
  },
  { additionalProperties: false },
);

/** The routes, over their use cases. */
export const sessionRoutes = (
  parts: LogInParts & RefreshSessionParts & LogOutParts & ListSessionsParts & ChangePasswordParts,
): readonly Route[] => [
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
    answers: revokedAnswers,
    handle: async ({ token }) => revokedAnswer(await logOut(parts, token)),
  }),
  route({
    method: 'POST',
    path: paths.logoutAll,
    summary: 'Sign out everywhere: end every session of the account',
    access: { kind: 'bearer-signing-out' },
    answers: revokedAnswers,
    handle: async ({ token }) => revokedAnswer(await logOutEverywhere(parts, token)),
  }),
  route({
    method: 'POST',
    path: paths.password,
    summary: 'Change the password: every session ends, and a new one begins for who asks',
    access: { kind: 'bearer' },
    body: PasswordBody,
    answers: propagationAnswers(sessionTokens),
    handle: async ({ token, body }) => {
      const { tokens, propagation } = await changePassword(parts, token, body);
      return propagationAnswer(propagation, { ...tokens });
    },
  }),
  route({
    method: 'GET',
    path: paths.sessions,
    summary: 'The live sessions of the account, newest first',
    access: { kind: 'bearer' },
    query: SessionsQuery,
    answers: { 200: SessionsAnswer },
    handle: async ({ token: { claims }, query }) => ({
      status: 200,
      body: await listSessions(parts, { tenantId: claims.tid, accountId: claims.sub }, query.cursor, claims.sid),
    }),
  }),
  route({
    method: 'DELETE',
    path: paths.session,
    summary: 'End one session of the account',
    access: { kind: 'bearer' },
    params: IdParams,
    answers: revokedAnswers,
    handle: async ({ token, params }) => revokedAnswer(await endOwnSession(parts, token, params.id as SessionId)),
  }),
];
