/**
 * What the log shows of an error.
 * @module
 */

/** Properties that hold codes, names of system calls and addresses of stores, and no data. */
const shownProperties = ['code', 'severity', 'routine', 'errcode', 'errno', 'syscall', 'address', 'port'] as const;

/** Longest chain of causes that is shown. */
const causesMax = 5;

/**
 * SQLSTATE class 22, data exceptions: the message quotes the value
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 */
const quotesValue = (properties: Readonly<Record<string, unknown>>): boolean =>
  'severity' in properties && String(properties['code']).startsWith('22');

/**
 * Fields of an error for a line of the log: name, message, where it was thrown, codes and causes. No
 * other property is shown. Those of a database error (`detail`, `where`) hold values of rows, so
 * emails and parts of password hashes.
 */
export const errorFields = (error: unknown, causesLeft: number = causesMax): unknown => {
  if (!(error instanceof Error)) return { type: typeof error };
  const properties: Readonly<Record<string, unknown>> = { ...error };
  const isQuoting = quotesValue(properties);
  const { name, message, stack = '', cause } = error;
  const shown = shownProperties.flatMap((property) =>
    properties[property] === undefined ? [] : [[property, properties[property]]],
  );
  const deeper = (one: unknown): unknown => errorFields(one, causesLeft - 1);
  const errors = error instanceof AggregateError ? error.errors.slice(0, causesMax) : [];
  return {
    type: error.constructor.name === 'Object' ? name : error.constructor.name,
    message: isQuoting ? 'data exception' : message,
    // The message stands in front of the frames.
    stack: isQuoting ? stack.replace(message, 'data exception') : stack,
    ...Object.fromEntries(shown),
    ...(causesLeft > 0 && cause !== undefined && { cause: deeper(cause) }),
    ...(causesLeft > 0 && errors.length > 0 && { aggregateErrors: errors.map(deeper) }),
  };
};
