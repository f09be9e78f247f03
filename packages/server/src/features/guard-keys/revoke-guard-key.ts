/**
 * Use case: revoke a guard key.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { keyTimes } from '../admin-keys/key-answer.ts';
import type { Origin } from '../audit/store.ts';
import type { Administrator } from '../tenants/administered-tenant.ts';
import type { GuardKeyStore, ListedGuardKey } from './store.ts';

/** What this use case works with. */
export interface RevokeGuardKeyParts {
  readonly guardKeys: Pick<GuardKeyStore, 'revoke'>;
  readonly nowMs: () => number;
}

/**
 * Revokes a guard key. Its guards are given no lease any more, and sign-outs wait for them until the
 * leases that they have are over.
 * @throws {CatalyticError} `guard_key_not_found` also for a key that the administrator may not see
 */
export const revokeGuardKey = async (
  { guardKeys, nowMs }: RevokeGuardKeyParts,
  { tenantId }: Administrator,
  id: string,
  by: Origin,
): Promise<void> => {
  if (!(await guardKeys.revoke({ id, tenantId, nowMs: nowMs(), by }))) throw new CatalyticError('guard_key_not_found');
};

/** The key in the words of the API and of the command line: never anything of its secret. */
export const guardKeyAnswer = (key: ListedGuardKey): Readonly<Record<string, unknown>> => ({
  id: key.id,
  description: key.description,
  tenant_id: key.tenantId,
  guards_max: key.guardsMax,
  ...keyTimes(key),
});
