/**
 * Port: where signing keys live.
 * @module
 */
import type { KeyId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Recorded } from '../revocation/store.ts';

/** A signing key as stored: the private part is sealed under the master key. */
export interface StoredSigningKey {
  readonly kid: KeyId;
  readonly algorithm: string;
  /** JWK (RFC 7517) of the public part, JSON. */
  readonly publicJwk: string;
  /** PKCS #8 of the private part, sealed with the kid as context. */
  readonly privateBox: Uint8Array;
  readonly createdAtMs: number;
  /** When it begins to sign. It is published earlier, so that every verifier knows it by then. */
  readonly activatesAtMs: number;
  /**
   * When all its tokens have expired, and it is no longer published. `null` while it is the newest
   * key.
   */
  readonly retiresAtMs: number | null;
}

/** A key about to be stored, with its origin. */
export interface NewSigningKey {
  readonly key: StoredSigningKey;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A key about to be killed. */
export interface SigningKeyKill {
  readonly kid: KeyId;
  /** Takes its place where `needsReplacement` of the rules says so; signs at once. */
  readonly replacement: StoredSigningKey;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** Where signing keys live. Every engine passes `store.contract.ts`. */
export interface SigningKeyStore {
  list(): Promise<readonly StoredSigningKey[]>;
  /**
   * Adds the first key. Of two processes that start at once exactly one succeeds; the key of the
   * other is dropped.
   */
  addFirst(made: NewSigningKey): Promise<void>;
  /**
   * Adds a key that replaces the newest one, and sets the retirement of the replaced key
   * (`retiresAtMs` of the rules), in one transaction.
   */
  addSuccessor(made: NewSigningKey): Promise<void>;
  /**
   * Kills a key: deletes it, journals it for ever, and adds the replacement where one is needed, in
   * one transaction. A key that was killed before is journalled again, so that the caller can wait
   * for every success. `undefined`: there was never such a key.
   */
  kill(kill: SigningKeyKill): Promise<Recorded | undefined>;
}
