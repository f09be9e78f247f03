/**
 * Port: where accounts live.
 * @module
 */
import type { AccountId, TenantId } from '@catalytic/protocol/ids';

/** A person's login in a tenant. */
export interface Account {
  readonly id: AccountId;
  readonly tenantId: TenantId;
  /** As the person wrote it. */
  readonly email: string;
  readonly status: 'active' | 'disabled';
  readonly roles: readonly string[];
  readonly createdAtMs: number;
}

/** An account about to be stored. */
export interface NewAccount {
  readonly email: string;
  /** {@link emailKey} of the email: unique in the tenant. */
  readonly emailKey: string;
  /** PHC string or another known format: see `passwords/hash-format.ts`. */
  readonly passwordHash: string;
  readonly roles: readonly string[];
}

/** An account with what a login needs to check. */
export interface AccountWithPassword {
  readonly account: Account;
  readonly passwordHash: string;
}

/** Where accounts live. Every engine passes `store.contract.ts`. */
export interface AccountStore {
  /** Stores an account; of two at once with the same email key exactly one succeeds. */
  create(tenantId: TenantId, account: NewAccount, nowMs: number): Promise<AccountId | 'email_taken'>;
  /** Stores what is not there yet, in one transaction; accounts whose email key exists are left as they are. */
  importMany(
    tenantId: TenantId,
    accounts: readonly NewAccount[],
    nowMs: number,
  ): Promise<{ readonly imported: number; readonly existing: number }>;
  find(tenantId: TenantId, id: AccountId): Promise<Account | undefined>;
  findForLogin(tenantId: TenantId, emailKey: string): Promise<AccountWithPassword | undefined>;
  /** Replaces the password hash only if it is still `from`: a hash upgrade must not undo a password change. */
  upgradePasswordHash(tenantId: TenantId, id: AccountId, from: string, to: string): Promise<boolean>;
}
