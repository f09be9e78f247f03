/**
 * Use case: is this the password of this account?
 * @module
 */
import type { AccountWithPassword } from '../accounts/store.ts';
import type { Secret } from '../secrets/secret.ts';
import type { PasswordHasher } from './hasher.ts';
import type { LoginCache } from './login-cache.ts';

/** What this use case works with. */
export interface CheckPasswordParts {
  readonly hasher: PasswordHasher;
  readonly loginCache: LoginCache;
  /** Hash of a password nobody knows: checked when there is no account, so that unknown and wrong cost the same time. */
  readonly decoyHash: string;
}

/**
 * Checks a password at full cost, or from the login cache when it was right a moment ago.
 * @param found the account; `undefined` when there is none
 * @throws {CatalyticError} `hashing_busy`
 */
export const isPasswordRight = async (
  { hasher, loginCache, decoyHash }: CheckPasswordParts,
  found: AccountWithPassword | undefined,
  password: Secret<string>,
): Promise<boolean> => {
  if (found === undefined) {
    await hasher.verify(decoyHash, password);
    return false;
  }
  const { account, passwordHash } = found;
  // A disabled account is never answered from the cache: it must cost what every refusal costs.
  if (account.status === 'active' && loginCache.has(account.id, passwordHash, password)) return true;
  const isRight = await hasher.verify(passwordHash, password);
  if (isRight) loginCache.remember(account.id, passwordHash, password);
  return isRight;
};
