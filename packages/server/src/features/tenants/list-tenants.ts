/**
 * Use case: which tenants are there?
 * @module
 */
import type { Administrator } from './administered-tenant.ts';
import type { Tenant, TenantStore } from './store.ts';

/** Most tenants in one answer. */
const pageTenants = 100;

/** A page of tenants. */
export interface TenantPage {
  readonly tenants: readonly Tenant[];
  /** Present if there are more. */
  readonly nextCursor?: string;
}

/**
 * The tenants an administrator may see, in the order of their names, a bounded number at a time.
 * @param cursor `nextCursor` of the page before
 */
export const listTenants = async (
  tenants: TenantStore,
  { tenantId }: Administrator,
  cursor: string | undefined,
): Promise<TenantPage> => {
  if (tenantId !== null) {
    const own = await tenants.find(tenantId);
    return { tenants: own === undefined ? [] : [own] };
  }
  // One row more than a page shows whether there is another page.
  const found = await tenants.list(cursor, pageTenants + 1);
  const shown = found.slice(0, pageTenants);
  const last = shown.at(-1);
  return found.length > shown.length && last !== undefined
    ? { tenants: shown, nextCursor: last.name }
    : { tenants: shown };
};
