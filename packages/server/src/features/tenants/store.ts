/**
 * Port: where tenants live.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Recorded } from '../revocation/store.ts';
import type { RegistrationMode } from './rules.ts';

/** An isolated customer of the deployment. */
export interface Tenant {
  readonly id: TenantId;
  /** Name that a login request gives; unique, lower case. */
  readonly name: string;
  readonly status: 'active' | 'suspended';
  /** The registrations that it admits. */
  readonly registration: RegistrationMode;
}

/** A tenant being created, with its origin. */
export interface TenantCreation {
  readonly name: string;
  /** @default usualRegistration of the rules */
  readonly registration?: RegistrationMode | undefined;
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

/** A change of the registrations that a tenant admits. */
export interface RegistrationChange extends TenantChange {
  readonly registration: RegistrationMode;
}

/** An invitation about to be stored. */
export interface NewInvitation {
  readonly tenantId: TenantId;
  /** SHA-256 of the code. */
  readonly hash: Uint8Array;
  readonly expiresAtMs: number;
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
  /** Changes the registrations that a tenant admits. `undefined`: there is no such tenant. */
  setRegistration(change: RegistrationChange): Promise<Tenant | undefined>;
  /** Stores an invitation to register once, and deletes those of the tenant that have expired. */
  invite(invitation: NewInvitation): Promise<void>;
  /** Whether a code invites to this tenant now. */
  isInvited(tenantId: TenantId, hash: Uint8Array, nowMs: number): Promise<boolean>;
}

/** The tenant of requests that name no tenant; created at the first start. */
export const defaultTenantName = 'default';
