/**
 * Port: where admin keys live.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';

/** What an admin key may do. */
export const adminScopes = [
  'accounts:import',
  'accounts:read',
  'accounts:write',
  'tenants:read',
  'tenants:write',
  'audit:read',
] as const;

/** One of {@link adminScopes}. */
export type AdminScope = (typeof adminScopes)[number];

/** An admin key as stored, without the key itself. */
export interface AdminKey {
  readonly scopes: readonly AdminScope[];
  /** The only tenant it may act on; `null` for all. */
  readonly tenantId: TenantId | null;
}

/** An admin key about to be stored. */
export interface NewAdminKey {
  /** SHA-256 of the key. */
  readonly hash: Uint8Array;
  readonly key: AdminKey;
  /** What it is for, in the words of the operator who made it. */
  readonly description: string;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A stored admin key that was found by its hash. */
export interface KnownAdminKey extends AdminKey {
  /** Its name in the audit trail: 12 hexadecimal digits, no secret. */
  readonly id: string;
}

/** Where admin keys live. Every engine passes `store.contract.ts`. */
export interface AdminKeyStore {
  add(made: NewAdminKey): Promise<void>;
  findByHash(hash: Uint8Array): Promise<KnownAdminKey | undefined>;
}
