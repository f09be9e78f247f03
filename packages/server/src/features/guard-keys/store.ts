/**
 * Port: where guard keys live.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import type { KeyRevocation, KeysPage, KeyUse, MadeKey, StoredKey } from '../admin-keys/store.ts';

/** A guard key as stored, without the key itself. */
export interface GuardKey {
  /** The only tenant whose revocations it is given; `null`: all. */
  readonly tenantId: TenantId | null;
  /** Most guards that may be registered with it at once. */
  readonly guardsMax: number;
}

/** A guard key about to be stored. */
export interface NewGuardKey extends MadeKey {
  readonly key: GuardKey;
}

/** A stored guard key that was found by its hash. */
export interface KnownGuardKey extends GuardKey, StoredKey {}

/** A guard key in a list. */
export interface ListedGuardKey extends KnownGuardKey {
  readonly description: string;
  readonly createdAtMs: number;
}

/**
 * Where guard keys live. Every change of them raises the revision that the readers of the journal
 * are told, so that processes forget what they remember of the keys. Every engine passes
 * `store.contract.ts`.
 */
export interface GuardKeyStore {
  add(made: NewGuardKey): Promise<void>;
  /** Reads from the primary. */
  findByHash(hash: Uint8Array): Promise<KnownGuardKey | undefined>;
  /** Up to `rowsMax` keys in the order of their ids. */
  list(page: KeysPage): Promise<readonly ListedGuardKey[]>;
  /**
   * Deletes a key, and marks the guards that were registered with it as leaving, in one
   * transaction. No guard is registered with it afterwards.
   * @returns whether there was such a key
   */
  revoke(revocation: KeyRevocation): Promise<boolean>;
  /** Records when a key was last used. */
  noteUse(use: KeyUse): Promise<void>;
}
