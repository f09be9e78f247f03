/**
 * Use case: kill a signing key, because it may have leaked.
 * @module
 */
import type { KeyId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { settleOrRefuse } from '../revocation/or-unknown.ts';
import { type Administrator, refuseBound } from '../tenants/administered-tenant.ts';
import type { SigningKeyStore, StoredSigningKey } from './store.ts';

/** What this use case works with. */
export interface KillSigningKeyParts {
  readonly signingKeys: SigningKeyStore;
  readonly barrier: Pick<Barrier, 'settle'>;
  /** Makes a key that signs from this moment on, sealed under the master key. */
  readonly makeSigningKey: (nowMs: number) => StoredSigningKey;
  readonly nowMs: () => number;
}

/**
 * Kills a signing key: no process accepts a token that it signed, now or ever. Sessions live on; their
 * clients refresh. A repeat is harmless and makes the same promise.
 * @throws {CatalyticError} `admin_scope_insufficient` for a key that is bound to a tenant,
 *   `signing_key_not_found`, `revocation_unknown`
 */
export const killSigningKey = async (
  parts: KillSigningKeyParts,
  administrator: Administrator,
  kid: KeyId,
  by: Origin,
): Promise<Propagation> => {
  refuseBound(administrator);
  const nowMs = parts.nowMs();
  const replacement = parts.makeSigningKey(nowMs);
  return settleOrRefuse(parts, parts.signingKeys.kill({ kid, replacement, nowMs, by }), 'signing_key_not_found');
};
