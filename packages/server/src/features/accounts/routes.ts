/**
 * Routes of accounts: register, me, import.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { type Route, route, streamRoute } from '../route.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import { defaultTenantName } from '../tenants/store.ts';
import { describeAccount } from './describe-account.ts';
import { type ImportAccountsParts, importAccounts } from './import-accounts.ts';
import { type RegisterAccountParts, registerAccount } from './register-account.ts';

const RegisterBody = Type.Object(
  {
    // Judged by the rules, not the schema: their answers say what to do.
    email: Type.String({ maxLength: 1024 }),
    password: Type.String({ maxLength: 1024 }),
    tenant: Type.Optional(Type.String({ pattern: tenantNamePattern })),
  },
  { additionalProperties: false },
);

const RegisteredAnswer = Type.Object({ account_id: Type.String(), email: Type.String(), tenant: Type.String() });

const MeAnswer = Type.Object({
  account_id: Type.String(),
  email: Type.String(),
  tenant_id: Type.String(),
  session_id: Type.String(),
  roles: Type.Array(Type.String()),
  created_at: Type.String(),
});

const ImportQuery = Type.Object(
  { tenant: Type.Optional(Type.String({ pattern: tenantNamePattern })) },
  { additionalProperties: false },
);

const ImportedAnswer = Type.Object({ imported: Type.Integer(), existing: Type.Integer() });

/** The routes, over their use cases. */
export const accountRoutes = (parts: RegisterAccountParts & ImportAccountsParts): readonly Route[] => [
  route({
    method: 'POST',
    path: paths.register,
    summary: 'Make an account',
    access: { kind: 'public' },
    body: RegisterBody,
    answers: { 201: RegisteredAnswer },
    handle: async ({ body }) => {
      const { accountId, email, tenant } = await registerAccount(parts, body);
      return { status: 201, body: { account_id: accountId, email, tenant } };
    },
  }),
  route({
    method: 'GET',
    path: paths.me,
    summary: 'The account of the access token',
    access: { kind: 'bearer' },
    answers: { 200: MeAnswer },
    handle: async ({ token }) => ({ status: 200, body: await describeAccount(parts.accounts, token) }),
  }),
  streamRoute({
    method: 'POST',
    path: paths.accountsImport,
    summary: 'Import accounts with ready password hashes, one JSON object a line',
    access: { kind: 'admin', scope: 'accounts:import' },
    listener: 'operate',
    streamType: 'application/x-ndjson',
    query: ImportQuery,
    answers: { 200: ImportedAnswer },
    handle: async ({ adminKey, query, body }) => ({
      status: 200,
      body: await importAccounts(parts, adminKey, query.tenant ?? defaultTenantName, body),
    }),
  }),
];
