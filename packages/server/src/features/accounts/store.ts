/**
 * Port: where accounts live.
 * @module
 */
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Recorded } from '../revocation/store.ts';

/** A person's login in a tenant. */
export interface Account {
  readonly id: AccountId;
  readonly tenantId: TenantId;
  /** As it was entered. */
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
  /** Other keys of the same mailbox under which a version before may have stored its account. */
  readonly formerKeys?: readonly string[];
  /** PHC string or another accepted format: see `passwords/hash-format.ts`. */
  readonly passwordHash: string;
  readonly roles: readonly string[];
}

/** An account being created, with its origin. */
export interface AccountCreation {
  readonly tenantId: TenantId;
  readonly account: NewAccount;
  /** Given when a person registers; absent: an administrator makes the account. */
  readonly registration?: {
    /** SHA-256 of the invitation; `null`: there is none. */
    readonly invitationHash: Uint8Array | null;
  };
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** Accounts being imported, with the origin. */
export interface AccountImport {
  readonly tenantId: TenantId;
  readonly accounts: readonly NewAccount[];
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A change of an account's status. */
export interface AccountChange {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A stored hash being replaced by one of today's parameters. */
export interface HashUpgrade extends AccountChange {
  /** The hash that was checked. */
  readonly from: string;
  readonly to: string;
}

/** A change of an account's roles. */
export interface RolesChange extends AccountChange {
  readonly roles: readonly string[];
}

/** A change of an account's email. */
export interface EmailChange extends AccountChange {
  readonly email: string;
  /** {@link emailKey} of the email: unique in the tenant. */
  readonly emailKey: string;
  /** See {@link NewAccount}. */
  readonly formerKeys: readonly string[];
}

/** A password that an administrator sets. */
export interface PasswordReset extends AccountChange {
  /** The hash of the new password. */
  readonly to: string;
}

/** Which accounts are listed. */
export interface AccountsPage {
  readonly tenantId: TenantId;
  /** Only accounts whose email comes after that of this one; `undefined`: from the first on. */
  readonly after: AccountId | undefined;
  readonly rowsMax: number;
}

/** An account with the stored hash of its password. */
export interface AccountWithPassword {
  readonly account: Account;
  readonly passwordHash: string;
}

/**
 * Where accounts live. Every engine passes `store.contract.ts`. Each change leaves a row in the
 * audit trail, in the same transaction.
 */
export interface AccountStore {
  /**
   * Stores an account in an active tenant that admits it (`admitsRegistration` of the rules of
   * tenants), unless one has its email key or one of the former keys. Of two simultaneous calls with
   * the same email key exactly one succeeds; of two with the same invitation too, which is used up.
   */
  create(creation: AccountCreation): Promise<AccountId | 'email_taken' | 'tenant_suspended' | 'registration_refused'>;
  /**
   * Stores new accounts in one transaction, if the tenant is active. Accounts whose email key
   * or former key exists stay as they are.
   */
  importMany(
    accounts: AccountImport,
  ): Promise<{ readonly imported: number; readonly existing: number } | 'tenant_suspended'>;
  find(tenantId: TenantId, id: AccountId): Promise<Account | undefined>;
  findForLogin(tenantId: TenantId, emailKey: string): Promise<AccountWithPassword | undefined>;
  /** Reads from the primary, like {@link AccountStore.findForLogin}. */
  findWithPassword(tenantId: TenantId, id: AccountId): Promise<AccountWithPassword | undefined>;
  /** Up to `rowsMax` accounts of a tenant in the order of their email keys. */
  list(page: AccountsPage): Promise<readonly Account[]>;
  /**
   * Disables an account and ends its sessions: raises its epoch and journals it. An account that is
   * disabled already is journalled again at the same epoch, so that the caller can wait for every
   * success. `undefined`: there is no such account.
   */
  disable(change: AccountChange): Promise<Recorded | undefined>;
  /**
   * Makes an account active. Its former sessions stay ended. `undefined`: there is no such account.
   */
  enable(change: AccountChange): Promise<Account | undefined>;
  /**
   * Replaces the roles, and outdates every access token of the account: raises its epoch, carries its
   * living sessions along, and journals it. Roles that are so already are journalled again at the
   * same epoch. `undefined`: there is no such account.
   */
  changeRoles(change: RolesChange): Promise<Recorded | undefined>;
  /** Replaces the email. `undefined`: there is no such account. */
  changeEmail(change: EmailChange): Promise<Account | 'email_taken' | undefined>;
  /**
   * Replaces the password hash and ends every session: raises the epoch and journals it. `undefined`:
   * there is no such account.
   */
  resetPassword(reset: PasswordReset): Promise<Recorded | undefined>;
  /**
   * Deletes an account: its email, password and roles are gone, its sessions have ended, and no other
   * operation finds it. What the audit trail says of it stays. An account that was deleted before is
   * journalled again. `undefined`: there was never such an account.
   */
  delete(change: AccountChange): Promise<Recorded | undefined>;
  /**
   * Replaces the password hash only if it is still `from`: a hash upgrade must not undo a password
   * change.
   */
  upgradePasswordHash(upgrade: HashUpgrade): Promise<boolean>;
}
