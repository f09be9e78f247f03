/**
 * Stage: which pages of other sites may read the answers (the CORS protocol,
 * https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * An origin counts only if it is on the list, exactly or under a domain that the list names with an
 * asterisk, and no other origin is ever repeated. Credentials are not allowed, because there are
 * none: the service has no cookies, and a page sends its token itself.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { Route } from '../features/route.ts';
import type { RequestStage } from './stage.ts';

/** How long a browser may remember a preflight, seconds: Chromium remembers none for longer. */
const preflightSeconds = 7200;

/** Headers that a listed page may read, beyond the few that every page may. */
const exposedHeaders = 'Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy, X-Request-Id';

/** Dependencies of the stage. */
export interface CrossOriginParts {
  /** Judges origins: the pages of which may read the answers; absent: of none. */
  readonly origins?: ((origin: string) => boolean) | undefined;
  /**
   * A preflight names the methods of all routes for every path: the request itself says whether its
   * path answers one.
   */
  readonly routes: readonly Route[];
  /** Names the worker in each answer, where that is asked for. */
  readonly workerHeaders: Readonly<Record<string, string>>;
}

/** Whether a browser asks what a page of another site may send. */
export const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;

/**
 * The refusal of a preflight from an origin that is not listed. No page can read it: it is for the
 * people who look at the network of the browser, or into the log.
 * @param hasList whether this listener answers pages of any other site
 */
export const refusedPreflight = (hasList: boolean): CatalyticError =>
  new CatalyticError('origin_unlisted', {
    detail: hasList
      ? 'Cannot answer the preflight: CORS_ORIGINS lists no origin like that of the page'
      : 'Cannot answer the preflight: this listener takes pages of no other site; the public one takes those of CORS_ORIGINS',
  });

/** Names of headers, separated by commas (RFC 9110 section 5.6.2). */
const headerNames = /^[\w!#$%&'*+.^`|~-]+(\s*,\s*[\w!#$%&'*+.^`|~-]+)*$/;

/** Headers that every request of a page may need. */
const usualHeaders = 'authorization, content-type';

/**
 * The headers that a page may send: any that it asks for. Libraries for tracing add their own to
 * each request, and a header that the service does not know changes nothing.
 */
const allowedHeaders = ({ headers }: IncomingMessage): string => {
  const asked = headers['access-control-request-headers'];
  return typeof asked === 'string' && headerNames.test(asked) ? `${usualHeaders}, ${asked}` : usualHeaders;
};

/**
 * Lets pages of the listed origins in. With no origin, nothing is added to any answer. The stage
 * comes before the framework, whose own refusals pass no other stage: a page must be able to read
 * those too.
 */
export const crossOrigin: RequestStage<CrossOriginParts> = {
  name: 'cross-origin',
  mount: (_server, { origins, routes, workerHeaders }) => {
    if (origins === undefined) return undefined;
    const preflightHeaders = {
      ...workerHeaders,
      'access-control-allow-methods': [...new Set(routes.map(({ method }) => method))].join(', '),
      'access-control-max-age': String(preflightSeconds),
    };
    return (request, response) => {
      const { origin } = request.headers;
      // On every answer: without it a cache would give one origin the answer that was made for
      // another.
      response.setHeader('vary', 'Origin');
      if (origin === undefined || !origins(origin)) return false;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', exposedHeaders);
      if (!isPreflight(request)) return false;
      response.writeHead(204, { ...preflightHeaders, 'access-control-allow-headers': allowedHeaders(request) }).end();
      return true;
    };
  },
};
