/**
 * Use case: which accounts of a tenant have one mailbox?
 * @module
 */
import type { AccountId, TenantId } from '@catalytic/protocol/ids';
import { emailKey, emailKeys } from './rules.ts';
import type { Account, AccountStore } from './store.ts';

/** Accounts read at once. */
const pageAccounts = 1000;

/**
 * Finds accounts that versions up to 0.1 took for different ones: their addresses differ in the
 * spelling of the domain or in case only. Each still signs in by its own spelling, and none is
 * merged, because only their owners know which one they use.
 * @returns groups of two accounts or more
 */
export const listSharedMailboxes = async (
  accounts: Pick<AccountStore, 'list'>,
  tenantId: TenantId,
): Promise<readonly (readonly Account[])[]> => {
  const byMailbox = new Map<string, Account[]>();
  let after: AccountId | undefined;
  do {
    const page = await accounts.list({ tenantId, after, rowsMax: pageAccounts });
    for (const account of page) {
      // The key of any other address is the address in lower case, and unique.
      if (emailKeys(account.email).length === 1) continue;
      const key = emailKey(account.email);
      byMailbox.set(key, [...(byMailbox.get(key) ?? []), account]);
    }
    after = page.length === pageAccounts ? page.at(-1)?.id : undefined;
  } while (after !== undefined);
  return [...byMailbox.values()].filter(({ length }) => length > 1);
};
