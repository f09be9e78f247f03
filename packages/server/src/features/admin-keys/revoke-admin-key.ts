/**
 * Use case: revoke an admin key.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { Administrator } from '../tenants/administered-tenant.ts';
import { keyTimes } from './key-answer.ts';
import type { AdminKeyStore, ListedAdminKey } from './store.ts';

/** What this use case works with. */
export interface RevokeAdminKeyParts {
  readonly adminKeys: AdminKeyStore;
  readonly nowMs: () => number;
}

/**
 * Revokes an admin key, at once and for every process. A key may revoke itself.
 * @throws {CatalyticError} `admin_key_not_found` also for a key that the administrator may not see
 */
export const revokeAdminKey = async (
  { adminKeys, nowMs }: RevokeAdminKeyParts,
  { tenantId }: Administrator,
  id: string,
  by: Origin,
): Promise<void> => {
  if (!(await adminKeys.revoke({ id, tenantId, nowMs: nowMs(), by }))) throw new CatalyticError('admin_key_not_found');
};

/** The key in the words of the API and of the command line: never anything of its secret. */
export const adminKeyAnswer = (key: ListedAdminKey): Readonly<Record<string, unknown>> => ({
  id: key.id,
  description: key.description,
  scopes: key.scopes,
  tenant_id: key.tenantId,
  ...keyTimes(key),
});
