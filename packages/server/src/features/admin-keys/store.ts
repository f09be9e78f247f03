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
  'admin-keys:read',
  'admin-keys:write',
  'guard-keys:read',
  'guard-keys:write',
  'signing-keys:write',
] as const;

/** One of {@link adminScopes}. */
export type AdminScope = (typeof adminScopes)[number];

/** An admin key as stored, without the key itself. */
export interface AdminKey {
  readonly scopes: readonly AdminScope[];
  /** The only tenant it may act on; `null` for all. */
  readonly tenantId: TenantId | null;
}

/** What is said of a key when it is made. Guard keys have the same parts. */
export interface MadeKey {
  /** SHA-256 of the key. */
  readonly hash: Uint8Array;
  /** What it is for, in the words of the operator who made it. */
  readonly description: string;
  /** From when on it is refused, milliseconds since 1970; `null`: never. */
  readonly expiresAtMs: number | null;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** What is known of every stored key. */
export interface StoredKey {
  /** Its name in the audit trail: 12 hexadecimal digits, no secret. */
  readonly id: string;
  readonly expiresAtMs: number | null;
  /** When it was last accepted, to the minute; `null`: not since it is recorded. */
  readonly lastUsedAtMs: number | null;
}

/** An admin key about to be stored. */
export interface NewAdminKey extends MadeKey {
  readonly key: AdminKey;
}

/** A stored admin key that was found by its hash. */
export interface KnownAdminKey extends AdminKey, StoredKey {}

/** An admin key in a list. */
export interface ListedAdminKey extends KnownAdminKey {
  readonly description: string;
  readonly createdAtMs: number;
}

/** Which keys are listed. */
export interface KeysPage {
  /** Only keys that are bound to this tenant; `null`: all keys. */
  readonly tenantId: TenantId | null;
  /** Only keys with a higher id; `undefined`: from the first on. */
  readonly after: string | undefined;
  readonly rowsMax: number;
}

/** A key about to be revoked. */
export interface KeyRevocation {
  readonly id: string;
  /** Only a key that is bound to this tenant; `null`: any key. */
  readonly tenantId: TenantId | null;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A use of a key. */
export interface KeyUse {
  /** SHA-256 of the key. */
  readonly hash: Uint8Array;
  readonly nowMs: number;
  /** Nothing is written if a use was recorded this short a time ago, milliseconds. */
  readonly everyMs: number;
}

/** Where admin keys live. Every engine passes `store.contract.ts`. */
export interface AdminKeyStore {
  add(made: NewAdminKey): Promise<void>;
  /** Reads from the primary, so that a revoked key is not found by any process. */
  findByHash(hash: Uint8Array): Promise<KnownAdminKey | undefined>;
  /** Up to `rowsMax` keys in the order of their ids. */
  list(page: KeysPage): Promise<readonly ListedAdminKey[]>;
  /** Deletes a key. @returns whether there was one */
  revoke(revocation: KeyRevocation): Promise<boolean>;
  /** Records when a key was last used. */
  noteUse(use: KeyUse): Promise<void>;
}
