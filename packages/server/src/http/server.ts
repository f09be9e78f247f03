/**
 * The HTTP pipeline: one for every route, mounted from the features' descriptions.
 *
 * | step | what it does | refuses with |
 * |---|---|---|
 * | connect | no peer but those that may connect, no more than there is room for; TLS where it is spoken | closes the connection; `overloaded` |
 * | parse | Node's HTTP parser, limits on header and time | `request_malformed` `headers_too_large` `request_timeout` |
 * | cross-origin | headers for pages of listed origins; answers their preflights | – |
 * | stopping | no new work while the service stops | `shutting_down` |
 * | strict headers | HTTP/1 with a host, no singleton header twice | `request_malformed` `header_duplicated` `header_invalid` |
 * | authenticate | by the route's access | `token_*` `admin_*` |
 * | body | content type, 64 KiB, JSON | `content_type_unsupported` `body_too_large` `body_malformed` |
 * | schema | types, unknown fields; nothing is coerced or removed | `body_invalid` |
 * | use case | the feature | its own codes |
 * | serialise | only fields the answer's schema names | – |
 * | finish | counts the answer, logs a refusal; cuts whoever does not read | – |
 * @module
 */
import type { RequestListener, Server } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Route } from '../features/route.ts';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import type { Logger } from '../telemetry/log.ts';
import { watchAnswers } from './answers-under-way.ts';
import type { AuthenticateParts } from './authenticate.ts';
import { guardConnections, type Peers } from './connections.ts';
import { allowOrigins } from './cross-origin.ts';
import { watchForDrain } from './drain.ts';
import { bodyBytesMax, parseJson } from './json-body.ts';
import { mountRoute } from './mount-route.ts';
import { parserRefusals } from './parser-refusals.ts';
import { problemSender } from './problem.ts';
import { requestIds } from './request-id.ts';
import { openRequestLog } from './request-log.ts';
import { followKeyPair, type KeyPairSource, tlsOptions } from './tls.ts';
import { openVerifyDoor } from './verify-door.ts';

/** What the pipeline is made of. */
export interface HttpParts {
  readonly authentication: AuthenticateParts;
  readonly log: Logger;
  readonly counts: AnswerCounts;
  readonly keepAliveSeconds: number;
  readonly requestTimeoutMs: number;
  /** Connections held at once; more are refused. */
  readonly maxConnections: number;
  /** Named in each answer when given. */
  readonly workerName: string | undefined;
  /** Origins whose pages may read the answers; absent: none. */
  readonly origins?: ReadonlySet<string>;
  /** Who may connect; absent: whoever reaches the address. */
  readonly peers?: Peers | undefined;
  /** The certificate of TLS; absent: plain HTTP. */
  readonly keyPair?: KeyPairSource | undefined;
}

/** The paths that a description stands for: an open segment is any text without a slash. */
const patternOf = (path: string): RegExp => {
  const segments = path.split('/').map((segment) => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)));
  return new RegExp(`^${segments.join('/')}$`);
};

const refuseUnknownRoute = (routes: readonly Route[]) => {
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, known]) => ({ known, is: patternOf(path) }));
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const path = request.url.split('?')[0] ?? '';
    const known = paths.find(({ is }) => is.test(path))?.known;
    if (known === undefined) throw new CatalyticError('route_unknown');
    reply.header('allow', known.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', '));
    throw new CatalyticError('method_unsupported');
  };
};

/** An HTTP server of our routes. */
export interface HttpServer {
  readonly scheme: 'http' | 'https';
  /** Starts to listen; returns the port. */
  listen(address: { host: string; port: number; backlog: number }): Promise<number>;
  /**
   * Stops accepting, and waits for the answers to all requests that have arrived whole or do so within a second.
   * @param isQuick refuse what comes later on open connections. Else it is served, and each connection closed after its next answer, or
   *   when it has been idle for as long as any idle connection is kept.
   */
  close(isQuick: boolean): Promise<void>;
}

/** Builds the server. It does not listen yet. */
export const createHttpServer = (parts: HttpParts, routes: readonly Route[]): HttpServer => {
  const { counts, keyPair } = parts;
  const log = openRequestLog(parts.log, counts);
  const sendProblem = problemSender(log, counts);
  const refusals = parserRefusals(log, counts);
  const newRequestId = requestIds();
  const httpOptions = {
    keepAliveTimeout: parts.keepAliveSeconds * 1000,
    requestTimeout: parts.requestTimeoutMs,
    // A missing Host is refused by our own step, in our own words.
    requireHostHeader: false,
    headersTimeout: Math.min(parts.requestTimeoutMs, 60_000),
    connectionsCheckingInterval: 1000,
  };
  const server: FastifyInstance = fastify({
    genReqId: newRequestId,
    requestIdHeader: false,
    bodyLimit: bodyBytesMax,
    keepAliveTimeout: parts.keepAliveSeconds * 1000,
    requestTimeout: parts.requestTimeoutMs,
    forceCloseConnections: 'idle',
    // Refused by our own step, in our own words.
    return503OnClosing: false,
    clientErrorHandler: refusals.onParserError,
    frameworkErrors: sendProblem,
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true },
    // Refuse, never repair: what a client sent is what is judged.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false } },
    http: httpOptions,
    ...(keyPair && {
      serverFactory: (handle: RequestListener): Server =>
        createServer({ ...httpOptions, ...tlsOptions(keyPair.current, parts.requestTimeoutMs) }, handle),
    }),
  });
  server.decorateRequest('caller', undefined);
  server.decorateRequest('startedMs', 0);
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    try {
      done(null, parseJson(request, bytes as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  for (const streamType of new Set(routes.flatMap(({ streamType }) => streamType ?? [])))
    server.addContentTypeParser(streamType, (_request, stream, done) => done(null, stream));
  server.setErrorHandler(sendProblem);
  server.setNotFoundHandler(refuseUnknownRoute(routes));
  const { workerName } = parts;
  if (workerName !== undefined)
    server.addHook('onRequest', (_request, reply, done) => {
      reply.header('catalytic-worker', workerName);
      done();
    });
  const { maxConnections, peers, requestTimeoutMs, keepAliveSeconds, authentication } = parts;
  if (routes.some(({ path }) => path === paths.verify) && !log.writesSuccesses)
    openVerifyDoor(server.server, {
      authentication,
      workerName,
      answered: counts.of(paths.verify),
      isRefusing: () => drain.isRefusing(),
    });
  const connections = guardConnections(server.server, {
    maxConnections,
    peers,
    isPlain: keyPair === undefined,
    counts,
  });
  // After the door, so that it comes before it.
  allowOrigins(
    server,
    parts.origins ?? new Set(),
    routes.map(({ method }) => method),
  );
  const answering = watchAnswers(server.server, requestTimeoutMs, counts, (response) => drain.onRequest(response));
  const drain = watchForDrain(server, { answering, connections, keepAliveSeconds });
  for (const route of routes) mountRoute(server, route, { authentication, drain, counts, log });

  if (keyPair !== undefined) {
    followKeyPair(server.server, keyPair);
    // In place of Node's own listener, which takes a failed handshake for a request that cannot be parsed.
    server.server.removeAllListeners('tlsClientError').on('tlsClientError', refusals.onHandshakeError);
  }

  // Any expectation but 100-continue, which Node meets by itself.
  server.server.on('checkExpectation', (request) => refusals.endWithProblem(request.socket, 'header_invalid'));

  return {
    scheme: keyPair === undefined ? 'http' : 'https',
    listen: async (address) => {
      await server.listen(address);
      return (server.server.address() as AddressInfo).port;
    },
    close: async (isQuick) => {
      await drain.close(isQuick);
      log.close();
    },
  };
};
