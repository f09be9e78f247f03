/**
 * Use case: which accounts does a tenant have?
 * @module
 */
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import { findByEmail } from './find-by-email.ts';
import type { Account, AccountStore } from './store.ts';

/** Most accounts in one answer. */
const pageAccounts = 100;

/** A page of accounts. */
export interface AccountPage {
  readonly accounts: readonly Account[];
  /** Present if there are more. An id, so that fewer email addresses appear in URLs. */
  readonly nextCursor?: AccountId;
}

/**
 * The accounts of a tenant in the order of their emails, a bounded number at a time.
 * @param email only the account with this email, in any case
 * @param cursor `nextCursor` of the page before
 */
export const listAccounts = async (
  accounts: AccountStore,
  tenantId: TenantId,
  { email, cursor }: { readonly email?: string | undefined; readonly cursor?: string | undefined },
): Promise<AccountPage> => {
  if (email !== undefined) {
    const found = await findByEmail(accounts, tenantId, email);
    return { accounts: found === undefined ? [] : [found.account] };
  }
  // One row more than a page shows whether there is another page.
  const after = cursor as AccountId | undefined;
  const found = await accounts.list({ tenantId, after, rowsMax: pageAccounts + 1 });
  const shown = found.slice(0, pageAccounts);
  const last = shown.at(-1);
  return found.length > shown.length && last !== undefined
    ? { accounts: shown, nextCursor: last.id }
    : { accounts: shown };
};
