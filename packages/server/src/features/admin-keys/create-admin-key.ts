/**
 * Use case: create a key for the admin API.
 * @module
 */
import type { Origin } from '../audit/store.ts';
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import type { AdminKey, AdminKeyStore } from './store.ts';

/** Prefix of admin keys. */
export const adminKeyPrefix = 'cak_';

/**
 * Creates an admin key and stores its hash.
 * @returns the key itself, which is shown once and never stored
 */
export const createAdminKey = async (
  adminKeys: AdminKeyStore,
  key: AdminKey,
  description: string,
  nowMs: number,
  by: Origin,
): Promise<string> => {
  const secret = randomToken(adminKeyPrefix);
  await adminKeys.add({ hash: tokenHash(secret), key, description, nowMs, by });
  return secret;
};
