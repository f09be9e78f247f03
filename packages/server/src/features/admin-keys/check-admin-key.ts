/**
 * Use case: does this admin key have the scope?
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AuditSink, Origin } from '../audit/store.ts';
import { tokenHash } from '../secrets/random-token.ts';
import type { AdminKeyStore, AdminScope, KnownAdminKey } from './store.ts';

/** What this use case works with. */
export interface CheckAdminKeyParts {
  readonly adminKeys: AdminKeyStore;
  readonly auditSink: AuditSink;
  readonly nowMs: () => number;
}

/**
 * Finds the key.
 * @param by who asks
 * @throws {CatalyticError} `admin_key_invalid`, `admin_scope_insufficient`
 */
export const checkAdminKey = async (
  { adminKeys, auditSink, nowMs }: CheckAdminKeyParts,
  secret: string,
  scope: AdminScope,
  by: Origin,
): Promise<KnownAdminKey> => {
  const key = await adminKeys.findByHash(tokenHash(secret));
  if (key?.scopes.includes(scope)) return key;
  const reason = key === undefined ? 'admin_key_invalid' : 'admin_scope_insufficient';
  auditSink.add({ event: 'authz_fail', reason, subject: key?.id, atMs: nowMs(), by });
  throw new CatalyticError(reason);
};
