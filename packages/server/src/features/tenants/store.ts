/**
 * Port: where tenants live.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Recorded } from '../revocation/store.ts';

/** An isolated customer of the deployment. */
export interface Tenant {
  readonly id: TenantId;
  /** Name that a login request gives; unique, lower case. */
  readonly name: string;
  readonly status: 'active' | 'suspended';
}

/** A tenant being created, and who asks. */
export interface TenantCreation {
  readonly name: string;
  readonly nowMs: number;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** A change of a tenant's status. */
export interface TenantChange {
  readonly tenantId: TenantId;
  readonly nowMs: number;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** Where tenants live. Every engine passes `store.contract.ts`. */
export interface TenantStore {
  findByName(name: string): Promise<Tenant | undefined>;
  /** Returns the tenant of that name, creating it when there is none. Two callers at once get the same tenant. */
  ensure(creation: TenantCreation): Promise<Tenant>;
  find(id: TenantId): Promise<Tenant | undefined>;
  /** Makes a tenant; of two at once with the same name exactly one succeeds. */
  create(creation: TenantCreation): Promise<Tenant | 'tenant_taken'>;
  /** Up to `rowsMax` tenants in the order of their names, those after a name when one is given. */
  list(afterName: string | undefined, rowsMax: number): Promise<readonly Tenant[]>;
  /**
   * Suspends a tenant: raises its epoch and journals it. One that is suspended already is journalled again without raising it, so that
   * every success can be waited for. `undefined`: there is none.
   */
  suspend(change: TenantChange): Promise<Recorded | undefined>;
  /** Makes a tenant active; what its suspension ended stays ended. `undefined`: there is none. */
  resume(change: TenantChange): Promise<Tenant | undefined>;
}

/** The tenant of requests that name none; created at the first start. */
export const defaultTenantName = 'default';
