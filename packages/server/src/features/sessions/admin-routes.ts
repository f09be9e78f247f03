/**
 * Routes of sessions for administrators.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { type AdministeredAccountParts, administeredAccount } from '../accounts/administered-account.ts';
import type { AccountStore } from '../accounts/store.ts';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { CursorId, IdParams, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { TenantQuery, tenantField } from '../tenants/administered-tenant.ts';
import { type ListSessionsParts, listSessions, SessionsAnswer } from './list-sessions.ts';
import { type SignOutAccountParts, signOutAccount } from './sign-out-account.ts';

const AccountSessionsQuery = Type.Object(
  { ...tenantField, cursor: Type.Optional(CursorId) },
  { additionalProperties: false },
);

/** The routes, over their use cases. */
export const sessionAdminRoutes = (
  parts: AdministeredAccountParts &
    ListSessionsParts &
    SignOutAccountParts & { readonly accounts: Pick<AccountStore, 'find'> },
): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.accountSessions,
    summary: 'The live sessions of an account, newest first',
    access: { kind: 'admin', scope: 'accounts:read' },
    listener: 'operate',
    refuses: ['tenant_unknown', 'account_not_found'],
    params: IdParams,
    query: AccountSessionsQuery,
    answers: { 200: SessionsAnswer },
    handle: async ({ adminKey, params, query }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      if ((await parts.accounts.find(place.tenantId, place.accountId)) === undefined)
        throw new CatalyticError('account_not_found');
      return { status: 200, body: await listSessions(parts, place, query.cursor) };
    },
  }),
  route({
    method: 'POST',
    path: paths.accountSignOut,
    summary: 'End every session of an account',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    refuses: ['tenant_unknown', 'account_not_found', 'revocation_unknown'],
    params: IdParams,
    query: TenantQuery,
    answers: revokedAnswers,
    handle: async ({ adminKey, params, query, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return revokedAnswer(await signOutAccount(parts, place, origin()));
    },
  }),
];
