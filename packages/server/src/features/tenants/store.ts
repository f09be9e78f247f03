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

/** A tenant being created, with its origin. */
export interface TenantCreation {
  readonly name: string;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A change of a tenant's status. */
export interface TenantChange {
  readonly tenantId: TenantId;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** Where tenants live. Every engine passes `store.contract.ts`. */
export interface TenantStore {
  findByName(name: string): Promise<Tenant | undefined>;
  /**
   * Returns the tenant of that name, and creates it if there is none. Two simultaneous callers get
   * the same tenant.
   */
  ensure(creation: TenantCreation): Promise<Tenant>;
  find(id: TenantId): Promise<Tenant | undefined>;
  /** Creates a tenant. Of two simultaneous calls with the same name exactly one succeeds. */
  create(creation: TenantCreation): Promise<Tenant | 'tenant_taken'>;
  /** Up to `rowsMax` tenants in the order of their names, those after a name when one is given. */
  list(afterName: string | undefined, rowsMax: number): Promise<readonly Tenant[]>;
  /**
   * Suspends a tenant: raises its epoch and journals it. A tenant that is suspended already is
   * journalled again at the same epoch, so that the caller can wait for every success. `undefined`:
   * there is no such tenant.
   */
  suspend(change: TenantChange): Promise<Recorded | undefined>;
  /**
   * Makes a tenant active. The sessions that its suspension ended stay ended. `undefined`: there is
   * no such tenant.
   */
  resume(change: TenantChange): Promise<Tenant | undefined>;
}

/** The tenant of requests that name no tenant; created at the first start. */
export const defaultTenantName = 'default';
