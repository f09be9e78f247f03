/**
 * Use case: a person creates an account.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AccountId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { admitPassword, preparePassword } from '../passwords/rules.ts';
import { activeTenant } from '../tenants/find-tenant.ts';
import type { TenantStore } from '../tenants/store.ts';
import { findByEmail } from './find-by-email.ts';
import { emailFields, isEmail } from './rules.ts';
import type { AccountStore } from './store.ts';

/** What this use case works with. */
export interface RegisterAccountParts {
  readonly tenants: TenantStore;
  readonly accounts: AccountStore;
  readonly hasher: PasswordHasher;
  readonly nowMs: () => number;
}

/** A registration as the client sends it. */
export interface Registration {
  readonly email: string;
  readonly password: string;
  readonly tenant?: string;
}

/**
 * Creates an account.
 * @throws {CatalyticError} `email_invalid`, `password_*`, `tenant_*`, `email_taken`, `hashing_busy`
 */
export const registerAccount = async (
  { tenants, accounts, hasher, nowMs }: RegisterAccountParts,
  registration: Registration,
  by: Origin,
): Promise<{ accountId: AccountId; email: string; tenant: string }> => {
  const { email } = registration;
  if (!isEmail(email)) throw new CatalyticError('email_invalid');
  const password = preparePassword(registration.password);
  admitPassword(password, email);
  hasher.admit();
  const tenant = await activeTenant(tenants, registration.tenant);
  // Checked before the costly hash, so that a flood of taken addresses stays cheap. `create`
  // decides.
  if ((await findByEmail(accounts, tenant.id, email)) !== undefined) throw new CatalyticError('email_taken');
  const passwordHash = await hasher.hash(password);
  const account = { ...emailFields(email), passwordHash, roles: [] };
  const accountId = await accounts.create({ tenantId: tenant.id, account, nowMs: nowMs(), by });
  if (accountId === 'email_taken') throw new CatalyticError('email_taken');
  if (accountId === 'tenant_suspended') throw new CatalyticError('tenant_suspended');
  return { accountId, email, tenant: tenant.name };
};
