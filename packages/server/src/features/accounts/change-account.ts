/**
 * Use cases: an administrator changes the email, the roles or the password of an account, or deletes
 * it. Emails and passwords obey the rules of a registration.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import type { Barrier, Propagation } from '../revocation/barrier.ts';
import { settleOrRefuse } from '../revocation/or-unknown.ts';
import type { AccountPlace } from './administered-account.ts';
import { type GivenPassword, hashOfGiven } from './given-password.ts';
import { admitRoles } from './roles.ts';
import { emailFields, isEmail } from './rules.ts';
import type { Account, AccountStore } from './store.ts';

/** What these use cases work with. */
export interface ChangeAccountParts {
  readonly accounts: AccountStore;
  readonly barrier: Pick<Barrier, 'settle'>;
  readonly nowMs: () => number;
}

/** What a password reset works with. */
export interface ResetPasswordParts extends ChangeAccountParts {
  readonly hasher: PasswordHasher;
}

/**
 * Changes the email. Sessions live on; the former email signs in no more.
 * @throws {CatalyticError} `email_invalid`, `email_taken`, `account_not_found`
 */
export const changeEmail = async (
  { accounts, nowMs }: Pick<ChangeAccountParts, 'accounts' | 'nowMs'>,
  place: AccountPlace,
  email: string,
  by: Origin,
): Promise<Account> => {
  if (!isEmail(email)) throw new CatalyticError('email_invalid');
  const changed = await accounts.changeEmail({ ...place, ...emailFields(email), nowMs: nowMs(), by });
  if (changed === undefined) throw new CatalyticError('account_not_found');
  if (changed === 'email_taken') throw new CatalyticError('email_taken');
  return changed;
};

/**
 * Changes the roles. Every access token with the former roles is refused with `token_outdated`;
 * sessions live on, and their next refresh yields the new roles. A repeat is harmless and makes the
 * same promise.
 * @throws {CatalyticError} `account_not_found`, `body_invalid`, `revocation_unknown`
 */
export const changeRoles = async (
  parts: ChangeAccountParts,
  place: AccountPlace,
  roles: readonly string[],
  by: Origin,
): Promise<Propagation> => {
  admitRoles(roles);
  return settleOrRefuse(
    parts,
    parts.accounts.changeRoles({ ...place, roles, nowMs: parts.nowMs(), by }),
    'account_not_found',
  );
};

/**
 * Sets another password and ends every session.
 * @throws {CatalyticError} `account_not_found`, `password_*`, `body_invalid`, `hashing_busy`,
 *   `revocation_unknown`
 */
export const resetPassword = async (
  parts: ResetPasswordParts,
  place: AccountPlace,
  given: GivenPassword,
  by: Origin,
): Promise<Propagation> => {
  const account = await parts.accounts.find(place.tenantId, place.accountId);
  if (account === undefined) throw new CatalyticError('account_not_found');
  const to = await hashOfGiven(parts.hasher, account.email, given);
  return settleOrRefuse(
    parts,
    parts.accounts.resetPassword({ ...place, to, nowMs: parts.nowMs(), by }),
    'account_not_found',
  );
};

/**
 * Deletes an account for good. A repeat is harmless and makes the same promise.
 * @throws {CatalyticError} `account_not_found`, `revocation_unknown`
 */
export const deleteAccount = (parts: ChangeAccountParts, place: AccountPlace, by: Origin): Promise<Propagation> =>
  settleOrRefuse(parts, parts.accounts.delete({ ...place, nowMs: parts.nowMs(), by }), 'account_not_found');
