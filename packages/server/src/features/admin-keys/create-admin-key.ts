/**
 * Use case: create a key for the admin API.
 * @module
 */
import { randomToken, tokenHash } from '../secrets/random-token.ts';
import type { AdminKey, AdminKeyStore, NewAdminKey } from './store.ts';

/** Prefix of admin keys. */
export const adminKeyPrefix = 'cak_';

/**
 * Creates an admin key and stores its hash.
 * @returns the key itself, which is shown once and never stored
 */
export const createAdminKey = async (
  adminKeys: AdminKeyStore,
  key: AdminKey,
  made: Omit<NewAdminKey, 'hash' | 'key'>,
): Promise<string> => {
  const secret = randomToken(adminKeyPrefix);
  await adminKeys.add({ hash: tokenHash(secret), key, ...made });
  return secret;
};
