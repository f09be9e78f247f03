/**
 * The error that a caller gets when the database fails.
 * @module
 */
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { CatalyticError } from '@catalytic/protocol/errors';

/** Values of a statement: by position, or by name in one object. */
type StatementValues = readonly SQLInputValue[] | readonly [Record<string, SQLInputValue>];

/** The request may succeed later. The cause is for the log. */
export const unavailable = (cause: unknown): CatalyticError =>
  new CatalyticError('store_unavailable', { cause, retryAfterSeconds: 1 });

const orUnavailable = <Result>(read: () => Result): Result => {
  try {
    return read();
  } catch (error) {
    throw unavailable(error);
  }
};

/**
 * Reads one row. The caller names its type: the statement's columns decide it.
 * @throws {CatalyticError} `store_unavailable`
 */
export const readRow = <Row>(statement: StatementSync, ...values: StatementValues): Row | undefined =>
  orUnavailable(() => statement.get(...(values as SQLInputValue[])) as Row | undefined);

/** Reads all rows. @throws {CatalyticError} `store_unavailable` */
export const readRows = <Row>(statement: StatementSync, ...values: StatementValues): readonly Row[] =>
  orUnavailable(() => statement.all(...(values as SQLInputValue[])) as unknown as readonly Row[]);
