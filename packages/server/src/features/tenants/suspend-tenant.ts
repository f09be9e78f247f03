/**
 * Use cases: an operator suspends a tenant, and resumes it.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { settleOrRefuse } from '../revocation/or-unknown.ts';
import { type Administrator, refuseBound } from './administered-tenant.ts';
import type { Tenant, TenantStore } from './store.ts';

/** What these use cases work with. */
export interface SuspendTenantParts {
  readonly tenants: TenantStore;
  readonly barrier: Pick<Barrier, 'settle'>;
  readonly nowMs: () => number;
}

/**
 * Suspends a tenant: its accounts can neither sign in nor refresh, no account can register, and all
 * its tokens are revoked. A repeat is harmless and makes the same promise.
 * @throws {CatalyticError} `admin_scope_insufficient`, `tenant_not_found`, `revocation_unknown`
 */
export const suspendTenant = async (
  parts: SuspendTenantParts,
  administrator: Administrator,
  id: TenantId,
  by: Origin,
): Promise<Propagation> => {
  refuseBound(administrator);
  return settleOrRefuse(parts, parts.tenants.suspend({ tenantId: id, nowMs: parts.nowMs(), by }), 'tenant_not_found');
};

/**
 * Makes a tenant active. Its former sessions stay ended.
 * @throws {CatalyticError} `admin_scope_insufficient`, `tenant_not_found`
 */
export const resumeTenant = async (
  { tenants, nowMs }: Pick<SuspendTenantParts, 'tenants' | 'nowMs'>,
  administrator: Administrator,
  id: TenantId,
  by: Origin,
): Promise<Tenant> => {
  refuseBound(administrator);
  const tenant = await tenants.resume({ tenantId: id, nowMs: nowMs(), by });
  if (tenant === undefined) throw new CatalyticError('tenant_not_found');
  return tenant;
};
