/**
 * The HTTP pipeline: one for every route, mounted from the features' descriptions.
 *
 * | step | what it does | refuses with |
 * |---|---|---|
 * | connect | no peer but those that may connect | closes the connection |
 * | parse | Node's HTTP parser, limits on header and time | `request_malformed` `headers_too_large` `request_timeout` |
 * | stopping | no new work while the service stops | `shutting_down` |
 * | strict headers | HTTP/1 with a host, no singleton header twice | `request_malformed` `header_duplicated` `header_invalid` |
 * | authenticate | by the route's access | `token_*` `admin_*` |
 * | body | content type, 64 KiB, JSON | `content_type_unsupported` `body_too_large` `body_malformed` |
 * | schema | types, unknown fields; nothing is coerced or removed | `body_invalid` |
 * | use case | the feature | its own codes |
 * | serialise | only fields the answer's schema names | – |
 * @module
 */
import { randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Route } from '../features/route.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AuthenticateParts } from './authenticate.ts';
import { watchForDrain } from './drain.ts';
import { bodyBytesMax, parseJson } from './json-body.ts';
import { mountRoute } from './mount-route.ts';
import { answerParserError, endWithProblem } from './parser-refusals.ts';
import { problemSender } from './problem.ts';
import { openVerifyDoor } from './verify-door.ts';

/** Judges connections, once each. */
export interface Peers {
  /** @param address of the peer, as the system names it */
  readonly mayConnect: (address: string) => boolean;
  /** A connection was closed, because its peer may not connect. */
  readonly onRefused: () => void;
}

/** What the pipeline is made of. */
export interface HttpParts {
  readonly authentication: AuthenticateParts;
  readonly log: Logger;
  readonly keepAliveSeconds: number;
  readonly requestTimeoutMs: number;
  /** Connections held at once; more are closed. */
  readonly maxConnections: number;
  /** Named in each answer when given. */
  readonly workerName: string | undefined;
  /** Who may connect; absent: whoever reaches the address. */
  readonly peers?: Peers | undefined;
}

/** Closes the connection before anything of it has been read. */
const refusePeers =
  ({ mayConnect, onRefused }: Peers) =>
  (socket: Socket): void => {
    const { remoteAddress } = socket;
    if (remoteAddress !== undefined && mayConnect(remoteAddress)) return;
    socket.destroy();
    // Without an address it has gone already, whoever it was.
    if (remoteAddress !== undefined) onRefused();
  };

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
  const sendProblem = problemSender(parts.log);
  const idPrefix = randomBytes(6).toString('base64url');
  let requests = 0;
  const server: FastifyInstance = fastify({
    // Ids are ours: one given by a client could hold anything, and would stand in our log.
    genReqId: () => `${idPrefix}-${(requests++).toString(36)}`,
    requestIdHeader: false,
    bodyLimit: bodyBytesMax,
    keepAliveTimeout: parts.keepAliveSeconds * 1000,
    requestTimeout: parts.requestTimeoutMs,
    forceCloseConnections: 'idle',
    // Refused by our own step, in our own words.
    return503OnClosing: false,
    clientErrorHandler: answerParserError,
    frameworkErrors: sendProblem,
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true },
    // Refuse, never repair: what a client sent is what is judged.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false } },
    // A missing Host is refused by our own step, in our own words.
    http: {
      requireHostHeader: false,
      headersTimeout: Math.min(parts.requestTimeoutMs, 60_000),
      connectionsCheckingInterval: 1000,
    },
  });
  server.decorateRequest('caller', undefined);
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
  if (routes.some(({ path }) => path === paths.verify))
    openVerifyDoor(server.server, { ...parts, isRefusing: () => drain.isRefusing() });
  const drain = watchForDrain(server, parts.keepAliveSeconds);
  for (const route of routes) mountRoute(server, route, parts.authentication, drain);

  // Dropped in a cluster too: the other workers may be as full as this one.
  Object.assign(server.server, { maxConnections: parts.maxConnections, dropMaxConnection: true });

  if (parts.peers !== undefined) server.server.prependListener('connection', refusePeers(parts.peers));

  // Any expectation but 100-continue, which Node meets by itself.
  server.server.on('checkExpectation', (request) => endWithProblem(request.socket, 'header_invalid'));

  return {
    listen: async (address) => {
      await server.listen(address);
      return (server.server.address() as AddressInfo).port;
    },
    close: drain.close,
  };
};
