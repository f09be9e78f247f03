/**
 * Use case: an administrator creates an account, with a password or with a ready hash.
 * @module
 */
import { CatalyticError, type Problem } from '@catalytic/protocol/errors';
import type { Origin } from '../audit/store.ts';
import { storingRefusal } from '../passwords/hash-cost.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { admitPassword, preparePassword } from '../passwords/rules.ts';
import type { Tenant } from '../tenants/store.ts';
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
export interface AccountDescription {
  readonly email: string;
  readonly password?: string;
  readonly password_hash?: string;
  readonly roles?: readonly string[];
}

const refuseField = (field: string, message: string): never => {
  const fields: Problem['errors'] = [{ field, message }];
  throw new CatalyticError('body_invalid', { fields });
};

const hashOf = async (hasher: PasswordHasher, description: AccountDescription): Promise<string> => {
  const { email, password: text, password_hash: hash } = description;
  if (hash !== undefined) {
    if (text !== undefined) return refuseField('/password_hash', 'is given beside password: give one of them');
    const refusal = storingRefusal(hash);
    return refusal === undefined ? hash : refuseField('/password_hash', refusal);
  }
  if (text === undefined) return refuseField('/password', 'is missing: give it, or password_hash');
  const password = preparePassword(text);
  admitPassword(password, email);
  return hasher.hash(password);
};

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
  if (tenant.status !== 'active') throw new CatalyticError('tenant_suspended');
  const passwordHash = await hashOf(hasher, description);
  const createdAtMs = nowMs();
  const account = { ...emailFields(email), passwordHash, roles };
  const id = await accounts.create({ tenantId: tenant.id, account, nowMs: createdAtMs, by });
  if (id === 'email_taken') throw new CatalyticError('email_taken');
  if (id === 'tenant_suspended') throw new CatalyticError('tenant_suspended');
  return { id, tenantId: tenant.id, email, status: 'active', roles, createdAtMs };
};
