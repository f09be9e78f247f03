/**
 * Stage: which pages of other sites may read the answers (the CORS protocol,
 * https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * An origin counts only if it is on the list exactly. It is looked up, never matched, and no other
 * origin is ever repeated. Credentials are not allowed, because there are none: the service has no
 * cookies, and a page sends its token itself.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { Route } from '../features/route.ts';
import type { RequestStage } from './stage.ts';

/** How long a browser may remember a preflight, seconds: Chromium remembers none for longer. */
const preflightSeconds = 7200;

/** Headers that a listed page may read, beyond the few that every page may. */
const exposedHeaders = 'Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy, X-Request-Id';

/** Dependencies of the stage. */
export interface CrossOriginParts {
  /** Origins whose pages may read the answers; absent: none. */
  readonly origins?: ReadonlySet<string>;
  /**
   * A preflight names the methods of all routes for every path: the request itself says whether its
   * path answers one.
   */
  readonly routes: readonly Route[];
  /** Names the worker in each answer, where that is asked for. */
  readonly workerHeaders: Readonly<Record<string, string>>;
}

const isPreflight = ({ method, headers }: IncomingMessage): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/**
 * Lets pages of the listed origins in. With no origin, nothing is added to any answer. The stage
 * comes before the framework, whose own refusals pass no other stage: a page must be able to read
 * those too.
 */
export const crossOrigin: RequestStage<CrossOriginParts> = {
  name: 'cross-origin',
  mount: (_server, { origins, routes, workerHeaders }) => {
    if (origins === undefined || origins.size === 0) return undefined;
    const preflightHeaders = {
      ...workerHeaders,
      'access-control-allow-methods': [...new Set(routes.map(({ method }) => method))].join(', '),
      'access-control-allow-headers': 'authorization, content-type',
      'access-control-max-age': String(preflightSeconds),
    };
    return (request, response) => {
      const { origin } = request.headers;
      // On every answer: without it a cache would give one origin the answer that was made for
      // another.
      response.setHeader('vary', 'Origin');
      if (origin === undefined || !origins.has(origin)) return false;
      response.setHeader('access-control-allow-origin', origin);
      response.setHeader('access-control-expose-headers', exposedHeaders);
      if (!isPreflight(request)) return false;
      response.writeHead(204, preflightHeaders).end();
      return true;
    };
  },
};
