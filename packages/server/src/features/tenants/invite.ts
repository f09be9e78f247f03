/**
 * Use cases: change the registrations that a tenant admits, and invite to it.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import { type Administrator, refuseBound } from './administered-tenant.ts';
import type { RegistrationMode } from './rules.ts';
import type { Tenant, TenantStore } from './store.ts';

/** What these use cases work with. */
export interface InviteParts {
  readonly tenants: TenantStore;
  readonly nowMs: () => number;
}

/** Prefix of invitations. */
export const invitationPrefix = 'cin_';

/** How long an invitation is good, milliseconds: a week. */
const invitationMs = 7 * 24 * 3600 * 1000;

/** An invitation, which is shown once and stored only as a hash. */
export interface Invitation {
  readonly invitation: string;
  readonly expiresAtMs: number;
}

/** Makes an invitation to register once in a tenant. It counts while the tenant invites. */
export const invite = async (
  { tenants, nowMs: readMs }: InviteParts,
  { id }: Tenant,
  by: Origin,
): Promise<Invitation> => {
  const invitation = randomToken(invitationPrefix);
  const nowMs = readMs();
  const expiresAtMs = nowMs + invitationMs;
  await tenants.invite({ tenantId: id, hash: tokenHash(invitation), expiresAtMs, nowMs, by });
  return { invitation, expiresAtMs };
};

/**
 * Changes the registrations that a tenant admits.
 * @throws {CatalyticError} `admin_scope_insufficient`, `tenant_not_found`
 */
export const setRegistration = async (
  { tenants, nowMs }: InviteParts,
  administrator: Administrator,
  tenantId: TenantId,
  registration: RegistrationMode,
  by: Origin,
): Promise<Tenant> => {
  refuseBound(administrator);
  const tenant = await tenants.setRegistration({ tenantId, registration, nowMs: nowMs(), by });
  if (tenant === undefined) throw new CatalyticError('tenant_not_found');
  return tenant;
};
