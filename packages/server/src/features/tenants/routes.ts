/**
 * Routes of tenants, for administrators.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import { paths } from '@catalytic/protocol/paths';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { IdParams, NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import { Type } from '../schema.ts';
import { administeredTenant, TenantQuery } from './administered-tenant.ts';
import { type CreateTenantParts, createTenant } from './create-tenant.ts';
import { type InviteParts, invitationPrefix, invite, setRegistration } from './invite.ts';
import { listTenants } from './list-tenants.ts';
import { registrationModes, tenantNamePattern, usualRegistration } from './rules.ts';
import { resumeTenant, type SuspendTenantParts, suspendTenant } from './suspend-tenant.ts';

const TenantsQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ pattern: tenantNamePattern, description: '`next_cursor` of the page before.' }),
    ),
  },
  { additionalProperties: false },
);

const Registration = Type.Union(
  registrationModes.map((mode) => Type.Literal(mode)),
  {
    description: `The registrations that it admits: all (\`open\`), those with an invitation (\`invited\`), none (\`closed\`). A new tenant is \`${usualRegistration}\` unless it says otherwise.`,
    examples: [usualRegistration],
  },
);

const TenantBody = Type.Object(
  {
    name: Type.String({
      pattern: tenantNamePattern,
      description: 'Lower-case letters, digits and dashes; clients give it when they sign in.',
      examples: ['acme'],
    }),
    registration: Type.Optional(Registration),
  },
  { additionalProperties: false, title: 'CreateTenant' },
);

const RegistrationBody = Type.Object(
  { registration: Registration },
  { additionalProperties: false, title: 'ChangeRegistration' },
);

const InvitationAnswer = Type.Object(
  {
    invitation: Type.String({
      description: 'The code, for one registration. It is shown once.',
      examples: [`${invitationPrefix}H-tMrd4pHaRYGeEjEUvDxrJHfRVIwJpNfZHgQJ4B7Zs`],
    }),
    expires_at: Type.String({
      description: 'Until when it is good (RFC 3339).',
      examples: ['2026-01-08T00:00:00.000Z'],
    }),
  },
  { title: 'Invitation', description: 'The invitation.' },
);

const TenantAnswer = Type.Object(
  {
    id: Type.String({
      description: 'The tenant: claim `tid` of its tokens.',
      examples: ['01a2119f-24ed-72ac-911e-1ef07c744860'],
    }),
    name: Type.String({ description: 'Its name.', examples: ['acme'] }),
    status: Type.String({ description: '`active` or `suspended`.', examples: ['active'] }),
    registration: Type.String({ description: '`open`, `invited` or `closed`.', examples: ['invited'] }),
  },
  { title: 'Tenant', description: 'The tenant.' },
);

const TenantsAnswer = Type.Object(
  { tenants: Type.Array(TenantAnswer, { description: 'By name.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'Tenants', description: 'A page of tenants.' },
);

/** The routes, over their use cases. */
export const tenantRoutes = (parts: CreateTenantParts & SuspendTenantParts & InviteParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.tenants,
    summary: 'The tenants, by name',
    access: { kind: 'admin', scope: 'tenants:read' },
    listener: 'operate',
    query: TenantsQuery,
    answers: { 200: TenantsAnswer },
    handle: async ({ adminKey, query }) => {
      const { tenants, nextCursor } = await listTenants(parts.tenants, adminKey, query.cursor);
      return { status: 200, body: { tenants, ...nextCursorOf(nextCursor) } };
    },
  }),
  route({
    method: 'POST',
    path: paths.tenants,
    summary: 'Make a tenant',
    access: { kind: 'admin', scope: 'tenants:write' },
    listener: 'operate',
    refuses: ['tenant_taken'],
    body: TenantBody,
    answers: { 201: TenantAnswer },
    handle: async ({ adminKey, body, origin }) => ({
      status: 201,
      body: await createTenant(parts, adminKey, body, origin()),
    }),
  }),
  route({
    method: 'POST',
    path: paths.tenantRegistration,
    summary: 'Change the registrations that a tenant admits',
    access: { kind: 'admin', scope: 'tenants:write' },
    listener: 'operate',
    refuses: ['tenant_not_found'],
    params: IdParams,
    body: RegistrationBody,
    answers: { 200: TenantAnswer },
    handle: async ({ adminKey, params, body, origin }) => ({
      status: 200,
      body: await setRegistration(parts, adminKey, params.id as TenantId, body.registration, origin()),
    }),
  }),
  route({
    method: 'POST',
    path: paths.invitations,
    summary: 'Make an invitation: a code for one registration in a tenant that invites',
    access: { kind: 'admin', scope: 'accounts:write' },
    listener: 'operate',
    refuses: ['tenant_unknown'],
    query: TenantQuery,
    answers: { 201: InvitationAnswer },
    handle: async ({ adminKey, query, origin }) => {
      const tenant = await administeredTenant(parts.tenants, adminKey, query.tenant);
      const { invitation, expiresAtMs } = await invite(parts, tenant, origin());
      return { status: 201, body: { invitation, expires_at: new Date(expiresAtMs).toISOString() } };
    },
  }),
  route({
    method: 'POST',
    path: paths.tenantSuspend,
    summary: 'Suspend a tenant: every token of it is revoked, and no account of it can sign in',
    access: { kind: 'admin', scope: 'tenants:write' },
    listener: 'operate',
    refuses: ['tenant_not_found', 'revocation_unknown'],
    params: IdParams,
    answers: revokedAnswers,
    handle: async ({ adminKey, params, origin }) =>
      revokedAnswer(await suspendTenant(parts, adminKey, params.id as TenantId, origin())),
  }),
  route({
    method: 'POST',
    path: paths.tenantResume,
    summary: 'Make a suspended tenant active',
    access: { kind: 'admin', scope: 'tenants:write' },
    listener: 'operate',
    refuses: ['tenant_not_found'],
    params: IdParams,
    answers: { 200: TenantAnswer },
    handle: async ({ adminKey, params, origin }) => ({
      status: 200,
      body: await resumeTenant(parts, adminKey, params.id as TenantId, origin()),
    }),
  }),
];
