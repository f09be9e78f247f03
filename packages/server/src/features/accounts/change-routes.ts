/**
 * Routes for administrators that change or delete an account.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { passwordRefusals } from '../passwords/rules.ts';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { IdParams, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { TenantQuery } from '../tenants/administered-tenant.ts';
import { AccountAnswer, accountAnswer } from './account-answer.ts';
import { type AdministeredAccountParts, administeredAccount } from './administered-account.ts';
import { changeEmail, changeRoles, deleteAccount, type ResetPasswordParts, resetPassword } from './change-account.ts';
import { Email, givenPassword } from './fields.ts';
import { Roles } from './roles.ts';

const EmailBody = Type.Object({ email: Email }, { additionalProperties: false, title: 'EmailChange' });
const RolesBody = Type.Object({ roles: Roles }, { additionalProperties: false, title: 'RolesChange' });
const PasswordBody = Type.Object(givenPassword, { additionalProperties: false, title: 'PasswordReset' });

/** What the routes have in common. */
const common = {
  access: { kind: 'admin', scope: 'accounts:write' },
  listener: 'operate',
  params: IdParams,
  query: TenantQuery,
} as const;

/** The routes, over their use cases. */
export const accountChangeRoutes = (parts: AdministeredAccountParts & ResetPasswordParts): readonly Route[] => [
  route({
    ...common,
    method: 'POST',
    path: paths.accountEmail,
    summary: 'Change the email of an account',
    description: 'Sessions live on. The former email signs in no more.',
    refuses: ['tenant_unknown', 'account_not_found', 'email_invalid', 'email_taken'],
    body: EmailBody,
    answers: { 200: AccountAnswer },
    handle: async ({ adminKey, params, query, body, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return { status: 200, body: accountAnswer(await changeEmail(parts, place, body.email, origin())) };
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: paths.accountRoles,
    summary: 'Change the roles of an account: no access token with the former roles is accepted any more',
    description:
      'Sessions live on: their access tokens are refused with `token_outdated`, and the next refresh yields one with the new roles.',
    refuses: ['tenant_unknown', 'account_not_found', 'revocation_unknown'],
    body: RolesBody,
    answers: revokedAnswers,
    handle: async ({ adminKey, params, query, body, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return revokedAnswer(await changeRoles(parts, place, body.roles, origin()));
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: paths.accountPassword,
    summary: 'Set another password of an account: every session of it ends',
    refuses: ['tenant_unknown', 'account_not_found', ...passwordRefusals, 'hashing_busy', 'revocation_unknown'],
    body: PasswordBody,
    answers: revokedAnswers,
    handle: async ({ adminKey, params, query, body, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return revokedAnswer(await resetPassword(parts, place, body, origin()));
    },
  }),
  route({
    ...common,
    method: 'POST',
    path: paths.accountDelete,
    summary: 'Delete an account: every token of it is revoked, and its email is free',
    description: 'Email, password and roles are erased. What the audit trail says of the account stays.',
    refuses: ['tenant_unknown', 'account_not_found', 'revocation_unknown'],
    answers: revokedAnswers,
    handle: async ({ adminKey, params, query, origin }) => {
      const place = await administeredAccount(parts, adminKey, query.tenant, params.id);
      return revokedAnswer(await deleteAccount(parts, place, origin()));
    },
  }),
];
