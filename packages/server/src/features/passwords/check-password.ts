/**
 * The check of a typed password against the stored hash of an account.
 * @module
 */
import type { AccountId } from '@catalytic/protocol/ids';
import type { AccountWithPassword } from '../accounts/store.ts';
import type { Secret } from '../secrets/secret.ts';
import { parseStoredHash } from './hash-format.ts';
import type { PasswordHasher } from './hasher.ts';
import type { PasswordForms } from './rules.ts';

/** What the check works with. */
export interface PasswordCheckParts {
  readonly hasher: PasswordHasher;
  /**
   * Hash of a random password. It is checked if there is no hash to check, so that an unknown
   * account costs as much time as a wrong password.
   */
  readonly decoyHash: string;
  /** Called when the stored hash of an account cannot be read: an operator has to look at it. */
  readonly onUnreadableHash: (accountId: AccountId) => void;
}

/** Why no form of a password is right. */
export type PasswordMismatch = 'account_unknown' | 'hash_unreadable' | 'password_wrong';

/**
 * Finds the form of the password of which the stored hash was made. A refusal has checked every
 * form, whatever is stored, so its time depends on the typed password alone; at most two forms exist.
 * @param found `undefined` if there is no such account
 * @throws {CatalyticError} `hashing_busy`
 */
export const checkPassword = async (
  { hasher, decoyHash, onUnreadableHash }: PasswordCheckParts,
  found: AccountWithPassword | undefined,
  forms: PasswordForms,
): Promise<Secret<string> | PasswordMismatch> => {
  const isReadable = found !== undefined && parseStoredHash(found.passwordHash) !== undefined;
  const storedHash = isReadable ? found.passwordHash : decoyHash;
  for (const form of forms) if ((await hasher.verify(storedHash, form)) && isReadable) return form;
  if (found === undefined) return 'account_unknown';
  if (isReadable) return 'password_wrong';
  onUnreadableHash(found.account.id);
  return 'hash_unreadable';
};
