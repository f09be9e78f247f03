/**
 * Step: which pages of other sites may read the answers (the CORS protocol, https://fetch.spec.whatwg.org/#http-cors-protocol).
 *
 * An origin is on the list exactly, or it is nobody: it is looked up, never matched, and only a listed one is ever repeated. Credentials are
 * not allowed, because there are none: the service has no cookies, and a page sends its token itself.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** How long a browser may remember a preflight, seconds: Chromium remembers none for longer. */
const preflightSeconds = 7200;

/** What a page may read beyond the body and the few headers that every page may. */
const exposedHeaders = 'Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy, X-Request-Id';

const isPreflight = ({ method, headers }: FastifyRequest): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/**
 * Lets pages of these origins in. With no origin, nothing is added to any answer.
 * @param methods of all routes: a preflight names them for every path, and the request itself says whether the path answers one
 */
export const allowOrigins = (
  server: FastifyInstance,
  origins: ReadonlySet<string>,
  methods: Iterable<string>,
): void => {
  if (origins.size === 0) return;
  // Before the framework, whose own refusals take no other step: a page must be able to read those too.
  server.server.prependListener('request', ({ headers }, response) => {
    // On every answer, or a cache would give a page the answer that was made for somebody else.
    response.setHeader('vary', 'Origin');
    if (headers.origin === undefined || !origins.has(headers.origin)) return;
    response.setHeader('access-control-allow-origin', headers.origin);
    response.setHeader('access-control-expose-headers', exposedHeaders);
  });
  const allowedMethods = [...new Set(methods)].join(', ');
  server.addHook('onRequest', (request: FastifyRequest, reply: FastifyReply, done) => {
    const { origin } = request.headers;
    if (!isPreflight(request) || origin === undefined || !origins.has(origin)) return done();
    reply
      .code(204)
      .header('access-control-allow-methods', allowedMethods)
      .header('access-control-allow-headers', 'authorization, content-type')
      .header('access-control-max-age', String(preflightSeconds))
      .send();
  });
};
