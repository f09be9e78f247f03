/**
 * The id of a request: the answer to a client and the line in the log both carry it.
 * @module
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Header in which a client may give an id, and in which an answer repeats it. */
export const requestIdHeader = 'x-request-id';

// A UUID fits, or the id of a trace. None of our tokens and keys fits, so none can reach the log
// this way.
const acceptable = /^[A-Za-z0-9._-]{8,36}$/;

/**
 * The id of a request: the client's where it is short and harmless, else a random one. An id that
 * counted would tell a stranger how many requests the service takes.
 */
export const requestIdOf = ({ headers }: Pick<IncomingMessage, 'headers'>): string => {
  const given = headers[requestIdHeader];
  return typeof given === 'string' && acceptable.test(given) ? given : randomUUID();
};
