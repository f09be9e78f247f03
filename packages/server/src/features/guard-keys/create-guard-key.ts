/**
 * Use case: create a key for guards.
 * @module
 */
import { keyId } from '../admin-keys/rules.ts';
import type { Origin } from '../audit/store.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import type { GuardKey, GuardKeyStore, ListedGuardKey } from './store.ts';

/** Prefix of guard keys. */
export const guardKeyPrefix = 'cgk_';

/** What this use case works with. */
export interface CreateGuardKeyParts {
  readonly guardKeys: Pick<GuardKeyStore, 'add'>;
  readonly nowMs: () => number;
}

/** What the key is to be. */
export interface WantedGuardKey extends GuardKey {
  readonly description: string;
  /** From when on it is refused, milliseconds since 1970; `null`: never. */
  readonly expiresAtMs: number | null;
}

/** A new guard key. */
export interface CreatedGuardKey {
  /** The key itself, which is shown once and never stored. */
  readonly secret: string;
  readonly key: ListedGuardKey;
}

/** Creates a guard key and stores its hash. */
export const createGuardKey = async (
  { guardKeys, nowMs: readMs }: CreateGuardKeyParts,
  { tenantId, guardsMax, description, expiresAtMs }: WantedGuardKey,
  by: Origin,
): Promise<CreatedGuardKey> => {
  const secret = randomToken(guardKeyPrefix);
  const hash = tokenHash(secret);
  const nowMs = readMs();
  await guardKeys.add({ hash, key: { tenantId, guardsMax }, description, expiresAtMs, nowMs, by });
  const id = keyId(hash);
  return {
    secret,
    key: { id, tenantId, guardsMax, description, expiresAtMs, createdAtMs: nowMs, lastUsedAtMs: null },
  };
};
