/**
 * Use case: an operator creates a tenant.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import { type Administrator, refuseBound } from './administered-tenant.ts';
import type { RegistrationMode } from './rules.ts';
import type { Tenant, TenantStore } from './store.ts';

/** What this use case works with. */
export interface CreateTenantParts {
  readonly tenants: TenantStore;
  readonly nowMs: () => number;
}

/** A tenant as an operator describes it. */
export interface TenantDescription {
  readonly name: string;
  /** @default usualRegistration of the rules */
  readonly registration?: RegistrationMode | undefined;
}

/** Creates a tenant. @throws {CatalyticError} `admin_scope_insufficient`, `tenant_taken` */
export const createTenant = async (
  { tenants, nowMs }: CreateTenantParts,
  administrator: Administrator,
  { name, registration }: TenantDescription,
  by: Origin,
): Promise<Tenant> => {
  refuseBound(administrator);
  const tenant = await tenants.create({ name, registration, nowMs: nowMs(), by });
  if (tenant === 'tenant_taken') throw new CatalyticError('tenant_taken');
  return tenant;
};
