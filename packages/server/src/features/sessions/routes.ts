/**
 * Routes of sessions: sign in, refresh, sign out, list sessions, change the password.
 * @module
 */
import type { SessionId } from '@catalytic/protocol/ids';
import { paths } from '@catalytic/protocol/paths';
import { emailCharactersMax } from '../accounts/rules.ts';
import { passwordRefusals } from '../passwords/rules.ts';
import {
  propagationAnswer,
  propagationAnswers,
  revokedAnswer,
  revokedAnswers,
} from '../revocation/propagation-answer.ts';
import { IdParams, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import { defaultTenantName } from '../tenants/store.ts';
import { type ChangePasswordParts, changePassword } from './change-password.ts';
import { endOwnSession } from './end-session.ts';
import { type ListSessionsParts, listSessions, SessionsAnswer, SessionsQuery } from './list-sessions.ts';
import { type LogInParts, logIn } from './log-in.ts';
import { type LogOutParts, logOut, logOutEverywhere } from './log-out.ts';
import { type RefreshSessionParts, refreshSession } from './refresh-session.ts';
import {
  refreshRefusals,
  refreshTokenExample,
  refreshTokenField,
  SessionTokensAnswer,
  sessionTokens,
} from './session-schemas.ts';

/** Longest password text in a request, UTF-16 units: a longer one cannot be right. */
const passwordUnitsMax = 1024;

const LoginBody = Type.Object(
  {
    email: Type.String({
      minLength: 1,
      maxLength: emailCharactersMax,
      description: 'The email address, in any case.',
      examples: ['ada@example.com'],
    }),
    password: Type.String({
      minLength: 1,
      maxLength: passwordUnitsMax,
      format: 'password',
      description: 'The password.',
      examples: ['analytical engine no 1'],
    }),
    tenant: Type.Optional(
      Type.String({
        pattern: tenantNamePattern,
        description: `Name of the tenant; \`${defaultTenantName}\` unless given.`,
      }),
    ),
  },
  { additionalProperties: false, title: 'SignIn' },
);

const RefreshBody = Type.Object(
  {
    refresh_token: refreshTokenField,
  },
  { additionalProperties: false, title: 'Refresh' },
);

const LogOutBody = Type.Object(
  {
    refresh_token: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'A refresh token of the session, used or not; for a client that has no access token any more.',
        examples: [refreshTokenExample],
      }),
    ),
  },
  { additionalProperties: false, title: 'SignOut' },
);

const PasswordBody = Type.Object(
  {
    current_password: Type.String({
      minLength: 1,
      maxLength: passwordUnitsMax,
      format: 'password',
      description: 'The password until now.',
      examples: ['analytical engine no 1'],
    }),
    // The rules judge it, not the schema: their refusals say what to change.
    new_password: Type.String({
      maxLength: passwordUnitsMax,
      format: 'password',
      description: 'The password from now on; the rules are those of a registration.',
      examples: ['analytical engine no 2'],
    }),
  },
  { additionalProperties: false, title: 'PasswordChange' },
);

const logInRoute = (parts: LogInParts): Route =>
  route({
    method: 'POST',
    path: paths.login,
    summary: 'Sign in with email and password',
    description:
      'An unknown tenant and an unknown account are refused like a wrong password, and after the same time. That the tenant is suspended, or the account disabled, is said after the right password only.',
    access: { kind: 'public' },
    refuses: [
      'tenant_suspended',
      'credentials_invalid',
      'account_disabled',
      'roles_too_large',
      'hashing_busy',
      'signing_key_unavailable',
      'store_unavailable',
    ],
    body: LoginBody,
    answers: { 200: SessionTokensAnswer },
    handle: async ({ body, origin }) => ({ status: 200, body: await logIn(parts, body, origin()) }),
  });

const refreshRoute = (parts: RefreshSessionParts): Route =>
  route({
    method: 'POST',
    path: paths.refresh,
    summary: 'Trade a refresh token for the next pair of tokens',
    description:
      'Each refresh token works once. Sent again within seconds, as after a lost answer, it yields the same successor. Sent again later it yields another one, while no successor of it has been used; from then on the former successor counts as stolen. Any other later use counts as theft, and the session ends.',
    access: { kind: 'public' },
    refuses: refreshRefusals,
    body: RefreshBody,
    answers: { 200: SessionTokensAnswer },
    handle: async ({ body, origin }) => ({
      status: 200,
      body: await refreshSession(parts, body.refresh_token, origin()),
    }),
  });

const logOutRoute = (parts: LogOutParts): Route =>
  route({
    method: 'POST',
    path: paths.logout,
    summary: 'Sign out: end the session of the token',
    description:
      'When it answers 200, no process accepts a token of the session any more, not even after a crash. An access token signs out at any age, expired or revoked, so a sign-out may be late and may be repeated. Without one, send a refresh token of the session.',
    access: { kind: 'signing-out' },
    refuses: ['refresh_invalid', 'revocation_unknown'],
    body: LogOutBody,
    isBodyOptional: true,
    answers: revokedAnswers,
    handle: async ({ genuineToken: accessToken, body: { refresh_token: refreshToken }, origin }) =>
      revokedAnswer(await logOut(parts, { accessToken, refreshToken }, origin())),
  });

const logOutEverywhereRoute = (parts: LogOutParts): Route =>
  route({
    method: 'POST',
    path: paths.logoutAll,
    summary: 'Sign out everywhere: end every session of the account',
    description: 'As signing out, for all sessions at once. A token whose own session has ended is refused.',
    access: { kind: 'bearer-signing-out' },
    refuses: ['token_revoked', 'revocation_unknown'],
    answers: revokedAnswers,
    handle: async ({ token, origin }) => revokedAnswer(await logOutEverywhere(parts, token, origin())),
  });

const changePasswordRoute = (parts: ChangePasswordParts): Route =>
  route({
    method: 'POST',
    path: paths.password,
    summary: 'Change the password: every session ends, and a new one begins for the caller',
    description: 'The access token of the request is revoked too: use the tokens of the answer from now on.',
    access: { kind: 'bearer' },
    refuses: [
      'password_wrong',
      'password_unchanged',
      ...passwordRefusals,
      'account_disabled',
      'roles_too_large',
      'tenant_suspended',
      'hashing_busy',
      'signing_key_unavailable',
      'revocation_unknown',
      'store_unavailable',
    ],
    body: PasswordBody,
    answers: propagationAnswers('PasswordChanged', sessionTokens),
    handle: async ({ token, body, origin }) => {
      const { tokens, propagation } = await changePassword(parts, token, body, origin());
      return propagationAnswer(propagation, { ...tokens });
    },
  });

const listSessionsRoute = (parts: ListSessionsParts): Route =>
  route({
    method: 'GET',
    path: paths.sessions,
    summary: 'The live sessions of the account, newest first',
    access: { kind: 'bearer' },
    refuses: ['store_unavailable'],
    query: SessionsQuery,
    answers: { 200: SessionsAnswer },
    handle: async ({ token: { claims }, query }) => ({
      status: 200,
      body: await listSessions(parts, { tenantId: claims.tid, accountId: claims.sub }, query.cursor, claims.sid),
    }),
  });

const endSessionRoute = (parts: LogOutParts): Route =>
  route({
    method: 'DELETE',
    path: paths.session,
    summary: 'End one session of the account',
    access: { kind: 'bearer' },
    refuses: ['session_not_found', 'revocation_unknown', 'store_unavailable'],
    params: IdParams,
    answers: revokedAnswers,
    handle: async ({ token, params, origin }) =>
      revokedAnswer(await endOwnSession(parts, token, params.id as SessionId, origin())),
  });

/** The routes, over their use cases. */
export const sessionRoutes = (
  parts: LogInParts & RefreshSessionParts & LogOutParts & ListSessionsParts & ChangePasswordParts,
): readonly Route[] => [
  logInRoute(parts),
  refreshRoute(parts),
  logOutRoute(parts),
  logOutEverywhereRoute(parts),
  changePasswordRoute(parts),
  listSessionsRoute(parts),
  endSessionRoute(parts),
];
