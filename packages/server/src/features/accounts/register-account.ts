/**
 * Use case: a person creates an account.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AccountId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { admitPassword, preparePassword } from '../passwords/rules.ts';
import { tokenHash } from '../secrets/random-token.ts';
import { admitsRegistration } from '../tenants/rules.ts';
import { defaultTenantName, type TenantStore } from '../tenants/store.ts';
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
  /** The code of an invitation. */
  readonly invitation?: string;
}

/**
 * Creates an account, if the tenant admits the registration. Whether a tenant is unknown, suspended
 * or closed, or the invitation is wrong, the answer is the same, so that strangers cannot list
 * tenants.
 * @throws {CatalyticError} `email_invalid`, `password_*`, `registration_refused`, `email_taken`,
 *   `hashing_busy`
 */
export const registerAccount = async (
  { tenants, accounts, hasher, nowMs }: RegisterAccountParts,
  { email, password: text, tenant: tenantName = defaultTenantName, invitation }: Registration,
  by: Origin,
): Promise<{ accountId: AccountId; email: string; tenant: string }> => {
  if (!isEmail(email)) throw new CatalyticError('email_invalid');
  const password = preparePassword(text);
  admitPassword(password, email);
  hasher.admit();
  const tenant = await tenants.findByName(tenantName);
  const invitationHash = invitation === undefined ? null : tokenHash(invitation);
  // Checked before the costly hash, so that a flood of registrations that are refused stays cheap.
  // `create` decides.
  if (tenant?.status !== 'active') throw new CatalyticError('registration_refused');
  const isInvited = invitationHash !== null && (await tenants.isInvited(tenant.id, invitationHash, nowMs()));
  if (!admitsRegistration(tenant.registration, isInvited)) throw new CatalyticError('registration_refused');
  if ((await findByEmail(accounts, tenant.id, email)) !== undefined) throw new CatalyticError('email_taken');
  const passwordHash = await hasher.hash(password);
  const account = { ...emailFields(email), passwordHash, roles: [] };
  const accountId = await accounts.create({
    ...{ tenantId: tenant.id, account, nowMs: nowMs(), by },
    registration: { invitationHash },
  });
  if (accountId === 'email_taken') throw new CatalyticError('email_taken');
  if (accountId === 'registration_refused' || accountId === 'tenant_suspended')
    throw new CatalyticError('registration_refused');
  return { accountId, email, tenant: tenant.name };
};
