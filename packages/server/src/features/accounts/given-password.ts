/**
 * Part of use cases: a password that an administrator gives, or a ready hash of one.
 * @module
 */
import { CatalyticError, type Problem } from '@catalytic/protocol/errors';
import { storingRefusal } from '../passwords/hash-cost.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { admitPassword, preparePassword } from '../passwords/rules.ts';

/** Exactly one of both. */
export interface GivenPassword {
  readonly password?: string;
  readonly password_hash?: string;
}

const refuseField = (field: string, message: string): never => {
  const fields: Problem['errors'] = [{ field, message }];
  throw new CatalyticError('body_invalid', { fields });
};

/**
 * The hash to store.
 * @param email of the account, which the password must not resemble
 * @throws {CatalyticError} `password_*`, `body_invalid`, `hashing_busy`
 */
export const hashOfGiven = async (
  hasher: PasswordHasher,
  email: string,
  { password: text, password_hash: hash }: GivenPassword,
): Promise<string> => {
  if (hash !== undefined) {
    if (text !== undefined) return refuseField('/password_hash', 'is given beside password: give one of them');
    const refusal = storingRefusal(hash);
    return refusal === undefined ? hash : refuseField('/password_hash', refusal);
  }
  if (text === undefined) return refuseField('/password', 'is missing: give it, or password_hash');
  const password = preparePassword(text);
  admitPassword(password, email);
  return hasher.hash(password);
};
