/**
 * Part of use cases: which account does an administrator's request act on?
 * @module
 */
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import { type Administrator, administeredTenant } from '../tenants/administered-tenant.ts';
import type { TenantStore } from '../tenants/store.ts';

/** What this works with. */
export interface AdministeredAccountParts {
  readonly tenants: TenantStore;
}

/**
 * Tenant and id of an account, which may not exist. Every operation asks for both, so the id of
 * another tenant's account finds nothing.
 */
export interface AccountPlace {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
}

/**
 * The place an administrator may act on.
 * @throws {CatalyticError} `admin_scope_insufficient`, `tenant_unknown`
 */
export const administeredAccount = async (
  { tenants }: AdministeredAccountParts,
  administrator: Administrator,
  tenantName: string | undefined,
  id: string,
): Promise<AccountPlace> => ({
  tenantId: (await administeredTenant(tenants, administrator, tenantName)).id,
  accountId: id as AccountId,
});
