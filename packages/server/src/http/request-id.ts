/**
 * The id of a request: under it the answer to a client and the line in the log are found together.
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Header in which a client may give an id, and in which an answer names it. */
export const requestIdHeader = 'x-request-id';

// A UUID fits, or the id of a trace; none of our tokens and keys does, so that none can come into the log this way.
const acceptable = /^[A-Za-z0-9._-]{8,36}$/;

/** Makes the ids of a server: the client's where it is short and harmless, else one of our own. */
export const requestIds = (): ((request: Pick<IncomingMessage, 'headers'>) => string) => {
  const prefix = randomBytes(6).toString('base64url');
  let requests = 0;
  return ({ headers }) => {
    const given = headers[requestIdHeader];
    if (typeof given === 'string' && acceptable.test(given)) return given;
    return `${prefix}-${(requests++).toString(36)}`;
  };
};
