/**
 * Use case: an administrator creates an account, with a password or with a ready hash.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import type { Tenant } from '../tenants/store.ts';
import { type GivenPassword, hashOfGiven } from './given-password.ts';
import { admitRoles } from './roles.ts';
import { emailFields, isEmail } from './rules.ts';
import type { Account, AccountStore } from './store.ts';

/** What this use case works with. */
export interface CreateAccountParts {
  readonly accounts: AccountStore;
  readonly hasher: PasswordHasher;
  readonly nowMs: () => number;
}

/**
 * An account as an administrator describes it, with exactly one of `password` and `password_hash`.
 */
export interface AccountDescription extends GivenPassword {
  readonly email: string;
  readonly roles?: readonly string[];
}

/**
 * Creates an account in an active tenant.
 * @throws {CatalyticError} `email_invalid`, `email_taken`, `tenant_suspended`, `password_*`,
 *   `body_invalid`, `hashing_busy`
 */
export const createAccount = async (
  { accounts, hasher, nowMs }: CreateAccountParts,
  tenant: Tenant,
  description: AccountDescription,
  by: Origin,
): Promise<Account> => {
  const { email, roles = [] } = description;
  if (!isEmail(email)) throw new CatalyticError('email_invalid');
  admitRoles(roles);
  if (tenant.status !== 'active') throw new CatalyticError('tenant_suspended');
  const passwordHash = await hashOfGiven(hasher, email, description);
  const createdAtMs = nowMs();
  const account = { ...emailFields(email), passwordHash, roles };
  const id = await accounts.create({ tenantId: tenant.id, account, nowMs: createdAtMs, by });
  if (id === 'email_taken') throw new CatalyticError('email_taken');
  if (id === 'tenant_suspended' || id === 'registration_refused') throw new CatalyticError('tenant_suspended');
  return { id, tenantId: tenant.id, email, status: 'active', roles, createdAtMs };
};
