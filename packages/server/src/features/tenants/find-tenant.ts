/**
 * Part of use cases: the tenant that a request names.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { defaultTenantName, type Tenant, type TenantStore } from './store.ts';

/**
 * Finds the tenant that a request names, suspended or not.
 * @param name the request's `tenant`; absent means the default tenant
 * @throws {CatalyticError} `tenant_unknown`
 */
export const knownTenant = async (tenants: TenantStore, name: string = defaultTenantName): Promise<Tenant> => {
  const tenant = await tenants.findByName(name);
  if (tenant === undefined) throw new CatalyticError('tenant_unknown');
  return tenant;
};

/**
 * Finds the tenant that a request names, if it is active.
 * @param name see {@link knownTenant}
 * @throws {CatalyticError} `tenant_unknown`, `tenant_suspended`
 */
export const activeTenant = async (tenants: TenantStore, name?: string): Promise<Tenant> => {
  const tenant = await knownTenant(tenants, name);
  if (tenant.status !== 'active') throw new CatalyticError('tenant_suspended');
  return tenant;
};
