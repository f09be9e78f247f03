/**
 * Use case: a guard is registered. From now on every revocation waits for it.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import { CatalyticError } from '@catalytic/protocol/errors';
import { entryKinds, type Registered, type Registration } from '@catalytic/protocol/guards';
import type { MemberId } from '@catalytic/protocol/ids';
import type { KnownGuardKey } from '../guard-keys/store.ts';
import { followerLeaseMs, guardsMax } from './rules.ts';
import type { GuardStore } from './store.ts';

/** What this use case works with. */
export interface RegisterGuardParts {
  readonly guards: Pick<GuardStore, 'register'>;
  /** Audience of the tokens of this deployment. */
  readonly audience: string;
  /** Lease of the workers, milliseconds. */
  readonly leaseMs: number;
  readonly nowMs: () => number;
  /** Called with a line for the operator. */
  readonly onRegistered: (guard: { readonly id: MemberId; readonly name: string; readonly keyId: string }) => void;
}

/**
 * Registers a guard under a new id. Its row is durable when this resolves.
 * @throws {CatalyticError} `guard_audience_wrong`, `guard_outdated`, `guards_too_many`,
 *   `guards_unsteady`, `guards_unavailable`, `guard_key_invalid`
 */
export const registerGuard = async (
  { guards, audience, leaseMs, nowMs, onRegistered }: RegisterGuardParts,
  key: KnownGuardKey,
  registration: Registration,
): Promise<Registered> => {
  const { name, kinds } = registration;
  if (registration.audience !== audience) throw new CatalyticError('guard_audience_wrong');
  if (!entryKinds.every((kind) => kinds.includes(kind))) throw new CatalyticError('guard_outdated');
  // A new id for each registration: a late answer to an earlier one can never confirm a later one.
  const id = randomUUIDv7() as MemberId;
  const ownLeaseMs = followerLeaseMs(leaseMs);
  const result = await guards.register({
    id,
    key: key.id,
    name,
    kinds: kinds.join(','),
    leaseMs: ownLeaseMs,
    perKeyMax: key.guardsMax,
    allMax: guardsMax,
    nowMs: nowMs(),
  });
  switch (result.outcome) {
    case 'registered':
      onRegistered({ id, name, keyId: key.id });
      return { guard: id, lease_ms: ownLeaseMs };
    case 'no key':
      throw new CatalyticError('guard_key_invalid');
    case 'too many':
      throw new CatalyticError('guards_too_many', { retryAfterSeconds: 30 });
    case 'older version present':
      throw new CatalyticError('guards_unavailable', { retryAfterSeconds: 10 });
    case 'unsteady':
      throw new CatalyticError('guards_unsteady', { retryAfterSeconds: result.retryAfterSeconds });
  }
};
