/**
 * Stage: refuses a head that could be read in two ways. Of a header that appears twice Node
 * silently keeps one, and that one need not be the one that the sender meant.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { RouteStage } from './stage.ts';

// Keyed by length: most headers are told apart without comparing text.
const singletons = new Map<number, string>(
  ['authorization', 'content-type', 'host', 'content-length', 'transfer-encoding'].map((name) => [name.length, name]),
);

if (singletons.size !== 5) throw new Error('Two singleton headers have names of equal length: compare them all');

/**
 * Refuses what Node's parser lets through: versions that are not HTTP/1, and HTTP/1.1 without Host
 * (RFC 9112 section 3.2).
 * @throws {CatalyticError} `request_malformed`
 */
export const refuseOddHead = ({ headers, httpVersion }: IncomingMessage): void => {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    throw new CatalyticError('request_malformed', {
      detail: 'Cannot read the request: it is neither HTTP/1.1 nor 1.0',
    });
  if (httpVersion === '1.1' && headers.host === undefined)
    throw new CatalyticError('request_malformed', { detail: 'Cannot read the request: it has no host header' });
};

/** Judges the headers as they were sent. @throws {CatalyticError} `header_duplicated` */
export const refuseDoubledHeaders = ({ rawHeaders }: IncomingMessage): void => {
  let seen = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    const singleton = singletons.get(name.length);
    if (singleton === undefined || name.toLowerCase() !== singleton) continue;
    const bit = 1 << name.length;
    if ((seen & bit) !== 0)
      throw new CatalyticError('header_duplicated', {
        detail: `Cannot read the request: it has two ${singleton} headers`,
      });
    seen |= bit;
  }
};

/**
 * Refuses a target that begins with an asterisk, which has a meaning only for OPTIONS (RFC 9112
 * section 3.2.4). The framework takes the asterisk for a slash, so every path would have a second
 * spelling.
 * @throws {CatalyticError} `request_malformed`
 */
const refuseOddTarget = ({ url }: IncomingMessage): void => {
  if (url?.startsWith('*'))
    throw new CatalyticError('request_malformed', { detail: 'Cannot read the request: its target is not a path' });
};

/** HTTP/1 with a host, a target that is a path, and no singleton header twice. */
export const strictHeaders: RouteStage<unknown> = {
  name: 'strict headers',
  refuses: () => ['request_malformed', 'header_duplicated'],
  mount:
    () =>
    ({ raw }) => {
      refuseOddHead(raw);
      refuseOddTarget(raw);
      refuseDoubledHeaders(raw);
    },
};
