/**
 * Routes of accounts for administrators. Each acts in one tenant: that of the key, else the one that the query names.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { IdParams, IdText, type Route, route } from '../route.ts';
import { administeredTenant, TenantQuery, tenantField } from '../tenants/administered-tenant.ts';
import { accountAnswer } from './account-answer.ts';
import { type AdministeredAccountParts, administeredAccount } from './administered-account.ts';
import { type CreateAccountParts, createAccount } from './create-account.ts';
import { type DisableAccountParts, disableAccount, enableAccount } from './disable-account.ts';
import { listAccounts } from './list-accounts.ts';
import { Roles } from './roles.ts';
import { emailCharactersMax } from './rules.ts';

const AccountsQuery = Type.Object(
  {
    ...tenantField,
    email: Type.Optional(Type.String({ minLength: 1, maxLength: emailCharactersMax })),
    cursor: Type.Optional(IdText),
  },
  { additionalProperties: false },
);

const AccountBody = Type.Object(
  {
    // Judged by the rules, not the schema: their answers say what to do.
    email: Type.String({ maxLength: 1024 }),
    password: Type.Optional(Type.String({ maxLength: 1024 })),
    password_hash: Type.Optional(Type.String({ maxLength: 512 })),
    roles: Type.Optional(Roles),
  },
  { additionalProperties: false },
);

const AccountAnswer = Type.Object({
  id: Type.String(),
  email: Type.String(),
  tenant_id: Type.String(),
  status: Type.String(),
  roles: Type.Array(Type.String()),
  created_at: Type.String(),
});

const AccountsAnswer = Type.Object({ accounts: Type.Array(AccountAnswer), next_cursor: Type.Optional(Type.String()) });

/** The routes, over their use cases. */
export const accountAdminRoutes = (
  parts: AdministeredAccountParts & CreateAccountParts & DisableAccountParts,
): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.accounts,
    summary: 'The accounts of a tenant, by email; or the one with an email',
    access: { kind: 'admin', scope: 'accounts:read' },
    listener: 'operate',
    query: AccountsQuery,
    answers: { 200: AccountsAnswer },
    handle: async ({ adminKey, query }) => {
      const { id } = await administeredTenant(parts.tenants, adminKey, query.tenant);
      const { accounts, nextCursor } = await listAccounts(parts.accounts, id, query);
      return {
        status: 200,
        body: {
          accounts: accounts.map(accountAnswer),
          ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }),
        },
      };
    },
  }),
  route({
    method: 'POST',
    path: paths.accounts,
    summary: 'Make an account with a password, or with a ready hash of one',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    query: TenantQuery,
    body: AccountBody,
    answers: { 201: AccountAnswer },
    handle: async ({ adminKey, query, body }) => {
      const tenant = await administeredTenant(parts.tenants, adminKey, query.tenant);
      return { status: 201, body: accountAnswer(await createAccount(parts, tenant, body)) };
    },
  }),
  route({
    method: 'POST',
    path: paths.accountDisable,
    summary: 'Disable an account: every token of it is revoked, and it cannot sign in',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    params: IdParams,
    query: TenantQuery,
    answers: revokedAnswers,
    handle: async ({ adminKey, params, query }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return revokedAnswer(await disableAccount(parts, place));
    },
  }),
  route({
    method: 'POST',
    path: paths.accountEnable,
    summary: 'Make a disabled account active',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    params: IdParams,
    query: TenantQuery,
    answers: { 200: AccountAnswer },
    handle: async ({ adminKey, params, query }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return { status: 200, body: accountAnswer(await enableAccount(parts, place)) };
    },
  }),
];
