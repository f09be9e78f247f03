/**
 * The answer to a revocation whose transaction fails, or that finds nothing to revoke.
 * @module
 */
import { CatalyticError, type ErrorCode } from '@catalytic/protocol/errors';
import type { Barrier, Propagation } from './barrier.ts';
import type { Recorded } from './store.ts';

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

/**
 * Waits for a revocation that an administrator asks for.
 * @param missing the code where there is nothing to revoke
 * @throws {CatalyticError} `missing`, `revocation_unknown`
 */
export const settleOrRefuse = async (
  { barrier }: { readonly barrier: Pick<Barrier, 'settle'> },
  recording: Promise<Recorded | undefined>,
  missing: ErrorCode,
): Promise<Propagation> => {
  const recorded = await orUnknown(recording);
  if (recorded === undefined) throw new CatalyticError(missing);
  return barrier.settle(recorded);
};
