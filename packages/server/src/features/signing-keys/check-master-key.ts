/**
 * Use case: check whether the signing keys were sealed with this master key.
 * @module
 */
import { unseal } from '../secrets/seal.ts';
import type { Secret } from '../secrets/secret.ts';
import { isRetired } from './rules.ts';
import type { StoredSigningKey } from './store.ts';

/** Whether the master key opens every signing key that is still in use. */
export const opensKeys = (masterKey: Secret<Buffer>, keys: readonly StoredSigningKey[], nowMs: number): boolean => {
  try {
    for (const key of keys) if (!isRetired(key, nowMs)) unseal(masterKey.reveal(), key.privateBox, key.kid).fill(0);
    return true;
  } catch {
    return false;
  }
};
