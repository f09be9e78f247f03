/**
 * What a caller sees when the database fails, and what counts as failing.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { DatabaseError } from 'pg';

/** The request may succeed later; the reason is for the log. */
export const unavailable = (cause: unknown): CatalyticError =>
  new CatalyticError('store_unavailable', { cause, retryAfterSeconds: 1 });

/** The SQLSTATE of an error the server reported; none when the server said nothing (connection, deadline). */
export const sqlState = (error: unknown): string | undefined =>
  error instanceof DatabaseError ? error.code : undefined;

// Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, transaction state, sign-in, rollback, resources,
// not in the prerequisite state, operator (a deadline too), system, internal. 25006: the server has become a standby. What is left says
// that the statement is wrong: a defect of ours, which repeating does not cure.
const passingClasses = /^(08|25|28|3D|40|53|55|57|58|XX)/;

/** Whether the database did not do what it was asked for a reason that may pass, or without saying why. */
export const isUnavailable = (error: unknown): boolean => {
  const state = sqlState(error);
  return state === undefined || passingClasses.test(state);
};

/** Whether the server undid the transaction because of another one: serialization failure, deadlock. */
export const isConflict = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '');

/** The error as a caller of a port gets it. */
export const asPortError = (error: unknown): unknown =>
  error instanceof CatalyticError || !isUnavailable(error) ? error : unavailable(error);
