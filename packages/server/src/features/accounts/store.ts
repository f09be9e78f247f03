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

/** Where accounts live. Every engine passes `store.contract.ts`. What changes leaves a row in the audit trail, in the same transaction. */
export interface AccountStore {
  /** Stores an account in an active tenant; of two at once with the same email key exactly one succeeds. */
  create(
    tenantId: TenantId,
    account: NewAccount,
    nowMs: number,
    by?: Origin,
  ): Promise<AccountId | 'email_taken' | 'tenant_suspended'>;
  /**
   * Stores what is not there yet, in one transaction, if the tenant is active; accounts whose email key exists are left as they are.
   */
  importMany(
    tenantId: TenantId,
    accounts: readonly NewAccount[],
    nowMs: number,
    by?: Origin,
  ): Promise<{ readonly imported: number; readonly existing: number } | 'tenant_suspended'>;
  find(tenantId: TenantId, id: AccountId): Promise<Account | undefined>;
  findForLogin(tenantId: TenantId, emailKey: string): Promise<AccountWithPassword | undefined>;
  /** Read on the primary, as {@link AccountStore.findForLogin} is. */
  findWithPassword(tenantId: TenantId, id: AccountId): Promise<AccountWithPassword | undefined>;
  /** Up to `rowsMax` accounts of a tenant in the order of their email keys, those after an account when one is given. */
  list(tenantId: TenantId, after: AccountId | undefined, rowsMax: number): Promise<readonly Account[]>;
  /**
   * Disables an account and ends its sessions: raises its epoch and journals it. One that is disabled already is journalled again without
   * raising it, so that every success can be waited for. `undefined`: there is none.
   */
  disable(tenantId: TenantId, id: AccountId, nowMs: number, by?: Origin): Promise<Recorded | undefined>;
  /** Makes an account active; its former sessions stay ended. `undefined`: there is none. */
  enable(tenantId: TenantId, id: AccountId, nowMs: number, by?: Origin): Promise<Account | undefined>;
  /** Replaces the password hash only if it is still `from`: a hash upgrade must not undo a password change. */
  upgradePasswordHash(tenantId: TenantId, id: AccountId, from: string, to: string, by?: Origin): Promise<boolean>;
}
