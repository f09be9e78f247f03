/**
 * The id of a request: the answer to a client and the line in the log both carry it.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Header in which a client may give an id, and in which an answer repeats it. */
export const requestIdHeader = 'x-request-id';

// A UUID fits, or the id of a trace. None of our tokens and keys fits, so none can reach the log
// this way.
const acceptable = /^[A-Za-z0-9._-]{8,36}$/;

/** Makes the ids of a server: the client's id where it is short and harmless, else a new one. */
export const requestIds = (): ((request: Pick<IncomingMessage, 'headers'>) => string) => {
  const prefix = randomBytes(6).toString('base64url');
  let requests = 0;
  return ({ headers }) => {
    const given = headers[requestIdHeader];
    if (typeof given === 'string' && acceptable.test(given)) return given;
    return `${prefix}-${(requests++).toString(36)}`;
  };
};
