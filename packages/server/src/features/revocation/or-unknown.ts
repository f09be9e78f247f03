/**
 * What a revocation answers when its transaction fails.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';

/**
 * A database that fails in the middle of a commit leaves it open whether the revocation is durable: neither 200 nor "nothing happened"
 * would be true.
 * @throws {CatalyticError} `revocation_unknown`
 */
export const orUnknown = async <Result>(revocation: Promise<Result>): Promise<Result> => {
  try {
    return await revocation;
  } catch (error) {
    throw new CatalyticError('revocation_unknown', { cause: error, retryAfterSeconds: 1 });
  }
};
