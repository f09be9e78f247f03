/**
 * Use case: find the account of a mailbox.
 * @module
 */
import type { TenantId } from '@catalytic/protocol/ids';
import { isStorableText } from '../storable-text.ts';
import { emailKeys } from './rules.ts';
import type { AccountStore, AccountWithPassword } from './store.ts';

/**
 * Finds an account by an address in any spelling. All keys of the address are asked for at once, so
 * that the time tells nothing of which one an account has; nearly every address has one key.
 */
export const findByEmail = async (
  accounts: Pick<AccountStore, 'findForLogin'>,
  tenantId: TenantId,
  email: string,
): Promise<AccountWithPassword | undefined> => {
  const found = await Promise.all(
    emailKeys(email)
      .filter(isStorableText)
      .map((key) => accounts.findForLogin(tenantId, key)),
  );
  return found.find((account) => account !== undefined);
};
