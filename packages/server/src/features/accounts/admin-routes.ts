/**
 * Routes of accounts for administrators. Each acts in one tenant: that of the key, else the one
 * that the query names.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { CursorId, IdParams, NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { storableTextPattern } from '../storable-text.ts';
import { administeredTenant, TenantQuery, tenantField } from '../tenants/administered-tenant.ts';
import { AccountAnswer, accountAnswer } from './account-answer.ts';
import { type AdministeredAccountParts, administeredAccount } from './administered-account.ts';
import { type CreateAccountParts, createAccount } from './create-account.ts';
import { type DisableAccountParts, disableAccount, enableAccount } from './disable-account.ts';
import { Email, givenPassword } from './fields.ts';
import { listAccounts } from './list-accounts.ts';
import { Roles } from './roles.ts';
import { emailCharactersMax, newAccountRefusals } from './rules.ts';

const AccountsQuery = Type.Object(
  {
    ...tenantField,
    email: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: emailCharactersMax,
        pattern: storableTextPattern,
        description: 'Only the account with this email.',
      }),
    ),
    cursor: Type.Optional(CursorId),
  },
  { additionalProperties: false },
);

const AccountBody = Type.Object(
  { email: Email, ...givenPassword, roles: Type.Optional(Roles) },
  { additionalProperties: false, title: 'CreateAccount' },
);

const AccountsAnswer = Type.Object(
  { accounts: Type.Array(AccountAnswer, { description: 'By email.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'AdministeredAccounts', description: 'A page of accounts.' },
);

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
    refuses: ['tenant_unknown'],
    query: AccountsQuery,
    answers: { 200: AccountsAnswer },
    handle: async ({ adminKey, query }) => {
      const { id } = await administeredTenant(parts.tenants, adminKey, query.tenant);
      const { accounts, nextCursor } = await listAccounts(parts.accounts, id, query);
      return {
        status: 200,
        body: {
          accounts: accounts.map(accountAnswer),
          ...nextCursorOf(nextCursor),
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
    refuses: ['tenant_unknown', 'tenant_suspended', ...newAccountRefusals],
    query: TenantQuery,
    body: AccountBody,
    answers: { 201: AccountAnswer },
    handle: async ({ adminKey, query, body, origin }) => {
      const tenant = await administeredTenant(parts.tenants, adminKey, query.tenant);
      return { status: 201, body: accountAnswer(await createAccount(parts, tenant, body, origin())) };
    },
  }),
  route({
    method: 'POST',
    path: paths.accountDisable,
    summary: 'Disable an account: every token of it is revoked, and it cannot sign in',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    refuses: ['tenant_unknown', 'account_not_found', 'revocation_unknown'],
    params: IdParams,
    query: TenantQuery,
    answers: revokedAnswers,
    handle: async ({ adminKey, params, query, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return revokedAnswer(await disableAccount(parts, place, origin()));
    },
  }),
  route({
    method: 'POST',
    path: paths.accountEnable,
    summary: 'Make a disabled account active',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    refuses: ['tenant_unknown', 'account_not_found'],
    params: IdParams,
    query: TenantQuery,
    answers: { 200: AccountAnswer },
    handle: async ({ adminKey, params, query, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return { status: 200, body: accountAnswer(await enableAccount(parts, place, origin())) };
    },
  }),
];
