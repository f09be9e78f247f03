/**
 * Use case: does this admin key have the scope? The store is asked on every request, so a key that
 * was revoked is refused by every process from that commit on.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AuditSink, Origin } from '../audit/store.ts';
import { tokenHash } from '../secrets/random-token.ts';
import { hasExpired, isUseDue, useRecordedEveryMs } from './rules.ts';
import type { AdminKeyStore, AdminScope, KnownAdminKey } from './store.ts';

/** What this use case works with. */
export interface CheckAdminKeyParts {
  readonly adminKeys: AdminKeyStore;
  readonly auditSink: AuditSink;
  readonly nowMs: () => number;
}

/**
 * Finds the key.
 * @param by origin of the request
 * @throws {CatalyticError} `admin_key_invalid`, `admin_key_expired`, `admin_scope_insufficient`
 */
export const checkAdminKey = async (
  { adminKeys, auditSink, nowMs }: CheckAdminKeyParts,
  secret: string,
  scope: AdminScope,
  by: Origin,
): Promise<KnownAdminKey> => {
  const hash = tokenHash(secret);
  const key = await adminKeys.findByHash(hash);
  const atMs = nowMs();
  const reason = refusalOf(key, scope, atMs);
  if (key === undefined || reason !== undefined) {
    const code = reason ?? 'admin_key_invalid';
    auditSink.add({ event: 'authz_fail', reason: code, subject: key?.id, atMs, by });
    throw new CatalyticError(code);
  }
  // Information only: the request goes on without it.
  if (isUseDue(key, atMs))
    await adminKeys.noteUse({ hash, nowMs: atMs, everyMs: useRecordedEveryMs }).catch(() => undefined);
  return key;
};

const refusalOf = (key: KnownAdminKey | undefined, scope: AdminScope, nowMs: number) => {
  if (key === undefined) return 'admin_key_invalid';
  if (hasExpired(key, nowMs)) return 'admin_key_expired';
  return key.scopes.includes(scope) ? undefined : 'admin_scope_insufficient';
};
