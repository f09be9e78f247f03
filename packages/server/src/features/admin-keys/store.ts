/**
 * Port: where admin keys live.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';

/** What an admin key may do. */
export const adminScopes = [
  'accounts:import',
  'accounts:read',
  'accounts:write',
  'tenants:read',
  'tenants:write',
] as const;

/** One of {@link adminScopes}. */
export type AdminScope = (typeof adminScopes)[number];

/** An admin key as stored; the key itself is not. */
export interface AdminKey {
  readonly scopes: readonly AdminScope[];
  /** The only tenant it may act on; `null` for all. */
  readonly tenantId: TenantId | null;
}

/** Where admin keys live. Every engine passes `store.contract.ts`. */
export interface AdminKeyStore {
  /** @param hash SHA-256 of the key */
  add(hash: Uint8Array, key: AdminKey, description: string, nowMs: number): Promise<void>;
  findByHash(hash: Uint8Array): Promise<AdminKey | undefined>;
}
