/**
 * Port: where tenants live.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';

/** An isolated customer of the deployment. */
export interface Tenant {
  readonly id: TenantId;
  /** Name that a login request gives; unique, lower case. */
  readonly name: string;
  readonly status: 'active' | 'suspended';
}

/** Where tenants live. Every engine passes `store.contract.ts`. */
export interface TenantStore {
  findByName(name: string): Promise<Tenant | undefined>;
  /** Returns the tenant of that name, creating it when there is none. Two callers at once get the same tenant. */
  ensure(name: string, nowMs: number): Promise<Tenant>;
}

/** The tenant of requests that name none; created at the first start. */
export const defaultTenantName = 'default';
