/**
 * Routes of tenants, for administrators.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { revokedAnswer, revokedAnswers } from '../revocation/propagation-answer.ts';
import { IdParams, NextCursor, nextCursorOf, type Route, route } from '../route.ts';
import { type CreateTenantParts, createTenant } from './create-tenant.ts';
import { listTenants } from './list-tenants.ts';
import { tenantNamePattern } from './rules.ts';
import { resumeTenant, type SuspendTenantParts, suspendTenant } from './suspend-tenant.ts';

const TenantsQuery = Type.Object(
  {
    cursor: Type.Optional(
      Type.String({ pattern: tenantNamePattern, description: '`next_cursor` of the page before.' }),
    ),
  },
  { additionalProperties: false },
);

const TenantBody = Type.Object(
  {
    name: Type.String({
      pattern: tenantNamePattern,
      description: 'Lower-case letters, digits and dashes; clients give it when they sign in.',
      examples: ['acme'],
    }),
  },
  { additionalProperties: false, title: 'CreateTenant' },
);

const TenantAnswer = Type.Object(
  {
    id: Type.String({
      description: 'The tenant: claim `tid` of its tokens.',
      examples: ['01a2119f-24ed-72ac-911e-1ef07c744860'],
    }),
    name: Type.String({ description: 'Its name.', examples: ['acme'] }),
    status: Type.String({ description: '`active` or `suspended`.', examples: ['active'] }),
  },
  { title: 'Tenant', description: 'The tenant.' },
);

const TenantsAnswer = Type.Object(
  { tenants: Type.Array(TenantAnswer, { description: 'By name.' }), next_cursor: Type.Optional(NextCursor) },
  { title: 'Tenants', description: 'A page of tenants.' },
);

/** The routes, over their use cases. */
export const tenantRoutes = (parts: CreateTenantParts & SuspendTenantParts): readonly Route[] => [
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
      body: await createTenant(parts, adminKey, body.name, origin()),
    }),
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
