/**
 * Use cases: an administrator disables an account, and enables it again.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { settleOrRefuse } from '../revocation/or-unknown.ts';
import type { AccountPlace } from './administered-account.ts';
import type { Account, AccountStore } from './store.ts';

/** What these use cases work with. */
export interface DisableAccountParts {
  readonly accounts: AccountStore;
  readonly barrier: Pick<Barrier, 'settle'>;
  readonly nowMs: () => number;
}

/**
 * Disables an account: it can neither sign in nor refresh, and all its tokens are revoked. A repeat
 * is harmless and makes the same promise.
 * @throws {CatalyticError} `account_not_found`, `revocation_unknown`
 */
export const disableAccount = (
  parts: DisableAccountParts,
  { tenantId, accountId }: AccountPlace,
  by: Origin,
): Promise<Propagation> =>
  settleOrRefuse(parts, parts.accounts.disable({ tenantId, accountId, nowMs: parts.nowMs(), by }), 'account_not_found');

/**
 * Makes an account active. Its former sessions stay ended.
 * @throws {CatalyticError} `account_not_found`
 */
export const enableAccount = async (
  { accounts, nowMs }: Pick<DisableAccountParts, 'accounts' | 'nowMs'>,
  { tenantId, accountId }: AccountPlace,
  by: Origin,
): Promise<Account> => {
  const account = await accounts.enable({ tenantId, accountId, nowMs: nowMs(), by });
  if (account === undefined) throw new CatalyticError('account_not_found');
  return account;
};
