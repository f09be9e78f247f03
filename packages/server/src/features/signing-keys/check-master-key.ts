/**
 * Use case: find out whether a master key is the one that signing keys were sealed with.
 * @module
 */
import { unseal } from '../secrets/seal.ts';
import type { Secret } from '../secrets/secret.ts';
import { isRetired } from './rules.ts';
import type { StoredSigningKey } from './store.ts';

/** Whether it opens every key that is still in use. */
export const opensKeys = (masterKey: Secret<Buffer>, keys: readonly StoredSigningKey[], nowMs: number): boolean => {
  try {
    for (const key of keys) if (!isRetired(key, nowMs)) unseal(masterKey.reveal(), key.privateBox, key.kid).fill(0);
    return true;
  } catch {
    return false;
  }
};
