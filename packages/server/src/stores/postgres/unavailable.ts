/**
 * The error that a caller gets when the database fails, and which errors count as failures.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import { DatabaseError } from 'pg';

/** The request may succeed later. The cause is for the log. */
export const unavailable = (cause: unknown): CatalyticError =>
  new CatalyticError('store_unavailable', { cause, retryAfterSeconds: 1 });

/**
 * The SQLSTATE of an error that the server reported; `undefined` when there was no answer
 * (connection, deadline).
 */
export const sqlState = (error: unknown): string | undefined =>
  error instanceof DatabaseError ? error.code : undefined;

// Classes of https://www.postgresql.org/docs/current/errcodes-appendix.html: connection,
// transaction state, sign-in, rollback, resources, not in the prerequisite state, operator (a
// deadline too), system, internal. 25006: the server has become a standby. All other classes mean
// that the statement is wrong: a defect of this program, and a repeat does not help.
const passingClasses = /^(08|25|28|3D|40|53|55|57|58|XX)/;

/** Whether the database failed for a reason that may pass, or without giving one. */
export const isUnavailable = (error: unknown): boolean => {
  const state = sqlState(error);
  return state === undefined || passingClasses.test(state);
};

/**
 * Whether the server rolled the transaction back because of another one: serialization failure,
 * deadlock.
 */
export const isConflict = (error: unknown): boolean => ['40001', '40P01'].includes(sqlState(error) ?? '');

/** Every server that answers is a standby, which takes no writes: a failover may be under way. */
export class NoPrimary extends Error {
  override readonly name = 'NoPrimary';

  constructor() {
    super('The server is a standby');
  }
}

/** Whether the server, the database or the role has no free place for a further connection. */
export const isFull = (error: unknown): boolean => sqlState(error) === '53300';

/** Connection refused, cut off, or without a way there; or a name that is not known yet. */
const awayCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
];
/** Texts of the library for a server that does not answer, or ends the connection at once. */
const awayTexts = /^(timeout expired|Query read timeout|Connection terminated)/;
/** Starting up or shutting down, no free place, no connection from the pooler to the server. */
const awayStates = /^(57P0[123]|53300|08001|08006)$/;

/**
 * Whether a start may succeed a little later without a change of settings: the server is not up yet,
 * has no free place, or is a standby that may be promoted.
 */
export const isAway = (error: unknown): boolean => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return (
    error instanceof NoPrimary ||
    awayStates.test(sqlState(error) ?? '') ||
    awayCodes.includes(code) ||
    awayTexts.test(message)
  );
};

/**
 * Whether role, password or database are missing. At first sight that is a wrong setting; on a
 * server that has just come up they may still be about to be made.
 */
export const isIncomplete = (error: unknown): boolean => /^(28000|28P01|3D000)$/.test(sqlState(error) ?? '');

/** The error that a caller of a port gets. */
export const asPortError = (error: unknown): unknown =>
  error instanceof CatalyticError || !isUnavailable(error) ? error : unavailable(error);
