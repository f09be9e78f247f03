/**
 * Routes of accounts for administrators. Each acts in one tenant: that of the key, else the one
 * that the query names.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { CursorId, IdParams, NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import { storableTextPattern } from '../storable-text.ts';
import { administeredTenant, TenantQuery, tenantField } from '../tenants/administered-tenant.ts';
import { accountAnswer } from './account-answer.ts';
import { type AdministeredAccountParts, administeredAccount } from './administered-account.ts';
import { type CreateAccountParts, createAccount } from './create-account.ts';
import { type DisableAccountParts, disableAccount, enableAccount } from './disable-account.ts';
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
  {
    // The rules judge it, not the schema: their refusals say what to change.
    email: Type.String({
      maxLength: 1024,
      description: 'Unique in its tenant, without regard to case.',
      examples: ['grace@example.com'],
    }),
    password: Type.Optional(
      Type.String({
        maxLength: 1024,
        format: 'password',
        description: 'The password; the rules are those of a registration. Either this or a hash.',
        examples: ['a compiler in the attic'],
      }),
    ),
    password_hash: Type.Optional(
      Type.String({ maxLength: 512, description: 'A ready hash: argon2id, bcrypt, scrypt or PBKDF2.' }),
    ),
    roles: Type.Optional(Roles),
  },
  { additionalProperties: false, title: 'CreateAccount' },
);

const AccountAnswer = Type.Object(
  {
    id: Type.String({
      description: 'The account: claim `sub` of its tokens.',
      examples: ['01a2119f-28ab-7cd0-9da2-d1309a4329b7'],
    }),
    email: Type.String({ description: 'The email address.', examples: ['grace@example.com'] }),
    tenant_id: Type.String({ description: 'Its tenant.', examples: ['01a2119f-24ed-72ac-911e-1ef07c744860'] }),
    status: Type.String({ description: '`active` or `disabled`.', examples: ['active'] }),
    roles: Type.Array(Type.String(), { description: 'Its roles.', examples: [['editor']] }),
    created_at: Type.String({ description: 'When it was made (RFC 3339).', examples: ['2026-01-01T00:00:00.000Z'] }),
  },
  { title: 'AdministeredAccount', description: 'The account.' },
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
    refuses: newAccountRefusals,
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
