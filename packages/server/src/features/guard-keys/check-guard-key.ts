/**
 * Use case: is this a guard key that is accepted now?
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { hasExpired } from '../admin-keys/rules.ts';
import type { AuditSink, Origin } from '../audit/store.ts';
import { tokenHash } from '../secrets/random-token.ts';
import type { GuardKeys } from './known-guard-keys.ts';
import type { KnownGuardKey } from './store.ts';

/** What this use case works with. */
export interface CheckGuardKeyParts {
  readonly guardKeys: Pick<GuardKeys, 'find' | 'noteUse'>;
  readonly auditSink: AuditSink;
  readonly nowMs: () => number;
}

const judge = (
  { guardKeys, auditSink, nowMs }: CheckGuardKeyParts,
  hash: Buffer,
  key: KnownGuardKey | undefined,
  by: () => Origin,
): KnownGuardKey => {
  const atMs = nowMs();
  if (key !== undefined && !hasExpired(key, atMs)) {
    guardKeys.noteUse(hash, key, atMs);
    return key;
  }
  const reason = key === undefined ? 'guard_key_invalid' : 'guard_key_expired';
  auditSink.add({ event: 'authz_fail', reason, subject: key?.id, atMs, by: by() });
  throw new CatalyticError(reason);
};

/**
 * Finds the key; a promise only where the store must be asked, which most requests need not.
 * @param by origin of the request
 * @throws {CatalyticError} `guard_key_invalid`, `guard_key_expired`, `store_unavailable`
 */
export const checkGuardKey = (
  parts: CheckGuardKeyParts,
  secret: string,
  by: () => Origin,
): KnownGuardKey | Promise<KnownGuardKey> => {
  const hash = tokenHash(secret);
  const found = parts.guardKeys.find(hash);
  return found instanceof Promise ? found.then((key) => judge(parts, hash, key, by)) : judge(parts, hash, found, by);
};
