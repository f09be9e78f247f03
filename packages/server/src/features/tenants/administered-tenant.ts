/**
 * Part of use cases: which tenant does an administrator's request act on?
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AdminKey } from '../admin-keys/store.ts';
import { type OptionalSchema, Type } from '../schema.ts';
import { tenantNamePattern } from './rules.ts';
import { defaultTenantName, type Tenant, type TenantStore } from './store.ts';

/**
 * The authority under which an administrator's use case runs: the tenant to which the admin key is
 * bound.
 */
export type Administrator = Pick<AdminKey, 'tenantId'>;

/** The operator at the command line: bound to no tenant. */
export const operator: Administrator = { tenantId: null };

/** The field of a query that names the tenant. */
export const tenantField: { readonly tenant: OptionalSchema<string> } = {
  tenant: Type.Optional(
    Type.String({
      pattern: tenantNamePattern,
      description: `Name of the tenant; that of the key, or else \`${defaultTenantName}\`, unless given.`,
    }),
  ),
};

/** A query that names the tenant and nothing else. */
export const TenantQuery = Type.Object(tenantField, { additionalProperties: false });

/**
 * Refuses a key that is bound to a tenant. Otherwise a suspended tenant could resume itself.
 * @throws {CatalyticError} `admin_scope_insufficient`
 */
export const refuseBound = ({ tenantId }: Administrator): void => {
  if (tenantId !== null) throw new CatalyticError('admin_scope_insufficient');
};

/**
 * Finds the tenant, active or not.
 * @param name `undefined`: the tenant to which the key is bound, else the default tenant
 * @throws {CatalyticError} `admin_scope_insufficient` for every tenant other than that of a bound
 *   key, whether it exists or not; `tenant_unknown`
 */
export const administeredTenant = async (
  tenants: TenantStore,
  { tenantId }: Administrator,
  name: string | undefined,
): Promise<Tenant> => {
  if (tenantId === null) {
    const tenant = await tenants.findByName(name ?? defaultTenantName);
    if (tenant === undefined) throw new CatalyticError('tenant_unknown');
    return tenant;
  }
  const own = await tenants.find(tenantId);
  if (own === undefined || (name !== undefined && name !== own.name))
    throw new CatalyticError('admin_scope_insufficient');
  return own;
};
