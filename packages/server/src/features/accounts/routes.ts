/**
 * Routes of accounts: register, me, import.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { passwordCodePointsMax, passwordCodePointsMin } from '../passwords/rules.ts';
import { type Route, route, streamRoute } from '../route.ts';
import { Type } from '../schema.ts';
import { TenantQuery } from '../tenants/administered-tenant.ts';
import { tenantNamePattern } from '../tenants/rules.ts';
import { defaultTenantName } from '../tenants/store.ts';
import { describeAccount } from './describe-account.ts';
import { type ImportAccountsParts, importAccounts } from './import-accounts.ts';
import { type RegisterAccountParts, registerAccount } from './register-account.ts';
import { newAccountRefusals } from './rules.ts';

const tenantName = Type.Optional(
  Type.String({
    pattern: tenantNamePattern,
    description: `Name of the tenant; \`${defaultTenantName}\` unless given.`,
  }),
);

const RegisterBody = Type.Object(
  {
    // The rules judge it, not the schema: their refusals say what to change.
    email: Type.String({
      maxLength: 1024,
      description: 'Unique in its tenant, without regard to case.',
      examples: ['ada@example.com'],
    }),
    password: Type.String({
      maxLength: 1024,
      format: 'password',
      description: `${passwordCodePointsMin} to ${passwordCodePointsMax} characters, of any kind. Passwords that attackers try first are refused.`,
      examples: ['analytical engine no 1'],
    }),
    tenant: tenantName,
    invitation: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'The code of an invitation, where the tenant asks for one.',
      }),
    ),
  },
  { additionalProperties: false, title: 'Registration' },
);

const accountId = Type.String({ description: 'The account.', examples: ['01a2119f-28ab-7cd0-9da2-d1309a4329b7'] });
const email = Type.String({ description: 'The email address.', examples: ['ada@example.com'] });

const RegisteredAnswer = Type.Object(
  {
    account_id: accountId,
    email,
    tenant: Type.String({ description: 'Name of the tenant.', examples: [defaultTenantName] }),
  },
  { title: 'RegisteredAccount', description: 'The account exists. It is not signed in.' },
);

const MeAnswer = Type.Object(
  {
    account_id: accountId,
    email,
    tenant_id: Type.String({ description: 'The tenant.', examples: ['01a2119f-24ed-72ac-911e-1ef07c744860'] }),
    session_id: Type.String({
      description: 'The session of the access token.',
      examples: ['01a2119f-28d4-7e12-9bca-90460dcb48da'],
    }),
    roles: Type.Array(Type.String(), { description: 'Roles of the account.', examples: [[]] }),
    created_at: Type.String({ description: 'When it was made (RFC 3339).', examples: ['2026-01-01T00:00:00.000Z'] }),
  },
  { title: 'Account', description: 'The account.' },
);

const ImportedAnswer = Type.Object(
  {
    imported: Type.Integer({ description: 'Accounts that were made.', examples: [2] }),
    existing: Type.Integer({ description: 'Accounts that existed and were left as they are.', examples: [0] }),
  },
  { title: 'Import', description: 'The result of all lines.' },
);

/** The routes, over their use cases. */
export const accountRoutes = (parts: RegisterAccountParts & ImportAccountsParts): readonly Route[] => [
  route({
    method: 'POST',
    path: paths.register,
    summary: 'Make an account',
    access: { kind: 'public' },
    description:
      'A tenant that invites takes one registration for each invitation; a closed one takes none. A tenant that is unknown or suspended refuses alike.',
    refuses: ['registration_refused', ...newAccountRefusals, 'store_unavailable'],
    body: RegisterBody,
    answers: { 201: RegisteredAnswer },
    handle: async ({ body, origin }) => {
      const { accountId, email, tenant } = await registerAccount(parts, body, origin());
      return { status: 201, body: { account_id: accountId, email, tenant } };
    },
  }),
  route({
    method: 'GET',
    path: paths.me,
    summary: 'The account of the access token',
    refuses: ['store_unavailable'],
    access: { kind: 'bearer' },
    answers: { 200: MeAnswer },
    handle: async ({ token }) => ({ status: 200, body: await describeAccount(parts.accounts, token) }),
  }),
  streamRoute({
    method: 'POST',
    path: paths.accountsImport,
    summary: 'Import accounts with ready password hashes, one JSON object a line',
    description:
      'Each line is `{"email", "password_hash", "roles"?}`, with an argon2id hash as PHC string, or one of bcrypt, scrypt or PBKDF2, which the next sign-in upgrades. A hash may be of the password as it was typed or of its NFC form. At most 64 MiB. Accounts that exist are left as they are, so an import may be repeated.',
    refuses: ['tenant_unknown', 'tenant_suspended', 'import_line_invalid'],
    access: { kind: 'admin', scope: 'accounts:import' },
    listener: 'operate',
    bodyFormat: { kind: 'stream', mediaType: 'application/x-ndjson' },
    query: TenantQuery,
    answers: { 200: ImportedAnswer },
    handle: async ({ adminKey, query, body, origin }) => ({
      status: 200,
      body: await importAccounts(parts, adminKey, query.tenant, body, origin()),
    }),
  }),
];
