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
 * Refuses what Node's parser lets through: versions that are not HTTP/1, HTTP/1.1 without Host (RFC
 * 9112 section 3.2), a transfer coding in HTTP/1.0, and one under the chunks (section 6.1). The parser
 * undoes only the chunks, so the use case would be given compressed bytes.
 * @throws {CatalyticError} `request_malformed`, `transfer_coding_unsupported`
 */
export const refuseOddHead = ({ headers, httpVersion }: IncomingMessage): void => {
  if (httpVersion !== '1.1' && httpVersion !== '1.0')
    throw new CatalyticError('request_malformed', {
      detail: 'Cannot read the request: it is neither HTTP/1.1 nor 1.0',
    });
  if (httpVersion === '1.1' && headers.host === undefined)
    throw new CatalyticError('request_malformed', { detail: 'Cannot read the request: it has no host header' });
  const coding = headers['transfer-encoding'];
  if (coding === undefined) return;
  if (httpVersion === '1.0')
    throw new CatalyticError('request_malformed', {
      detail: 'Cannot read the request: HTTP/1.0 has no transfer coding',
    });
  // Node's parser itself refuses a coding that does not end with chunked.
  if (/,\s*chunked$/i.test(coding)) throw new CatalyticError('transfer_coding_unsupported');
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
  refuses: ({ method }) =>
    // A GET with a body is rare enough to be left out of the description.
    method === 'GET'
      ? ['request_malformed', 'header_duplicated']
      : ['request_malformed', 'header_duplicated', 'transfer_coding_unsupported'],
  mount:
    () =>
    ({ raw }) => {
      refuseOddHead(raw);
      refuseOddTarget(raw);
      refuseDoubledHeaders(raw);
    },
};
