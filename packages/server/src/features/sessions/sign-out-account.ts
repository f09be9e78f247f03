/**
 * Use case: an administrator signs an account out, everywhere.
 * @module
 */
import type { AccountPlace } from '../accounts/administered-account.ts';
import type { Origin } from '../audit/store.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { settleOrRefuse } from '../revocation/or-unknown.ts';
import type { SessionStore } from './store.ts';

/** What this use case works with. */
export interface SignOutAccountParts {
  readonly sessions: SessionStore;
  readonly barrier: Pick<Barrier, 'settle'>;
  readonly nowMs: () => number;
}

/**
 * Ends every session of an account. A repeat also ends the sessions opened since.
 * @throws {CatalyticError} `account_not_found`, `revocation_unknown`
 */
export const signOutAccount = (
  parts: SignOutAccountParts,
  { tenantId, accountId }: AccountPlace,
  by: Origin,
): Promise<Propagation> =>
  settleOrRefuse(parts, parts.sessions.signOut({ tenantId, accountId, nowMs: parts.nowMs(), by }), 'account_not_found');
