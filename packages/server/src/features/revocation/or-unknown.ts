/**
 * The answer to a revocation whose transaction fails.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';

/**
 * After a failure in the middle of a commit it is unknown whether the revocation is durable:
 * neither 200 nor "nothing happened" would be true.
 * @throws {CatalyticError} `revocation_unknown`
 */
export const orUnknown = async <Result>(revocation: Promise<Result>): Promise<Result> => {
  try {
    return await revocation;
  } catch (error) {
    throw new CatalyticError('revocation_unknown', { cause: error, retryAfterSeconds: 1 });
  }
};
