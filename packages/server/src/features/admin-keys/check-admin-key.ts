/**
 * Use case: may this admin key do this?
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { tokenHash } from '../secrets/random-token.ts';
import type { AdminKeyStore, AdminScope, KnownAdminKey } from './store.ts';

/** Finds the key. @throws {CatalyticError} `admin_key_invalid`, `admin_scope_insufficient` */
export const checkAdminKey = async (
  adminKeys: AdminKeyStore,
  secret: string,
  scope: AdminScope,
): Promise<KnownAdminKey> => {
  const key = await adminKeys.findByHash(tokenHash(secret));
  if (key === undefined) throw new CatalyticError('admin_key_invalid');
  if (!key.scopes.includes(scope)) throw new CatalyticError('admin_scope_insufficient');
  return key;
};
