/**
 * An HTTP server: the framework, and the stages of the pipeline in the order of `pipeline.ts`.
 * @module
 */
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { CatalyticError } from '@catalytic/protocol/errors';
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Route } from '../features/route.ts';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import type { Logger } from '../telemetry/log.ts';
import type { AnswersUnderWay } from './answers-under-way.ts';
import { ArrivingBodies } from './arriving-bodies.ts';
import type { AuthenticateParts } from './authenticate.ts';
import { addBodyParsers, bodyBytesMax } from './body.ts';
import { isPreflight, refusedPreflight } from './cross-origin.ts';
import { dispatchRequests } from './dispatch.ts';
import { stopServer } from './drain.ts';
import { type MountParts, mountRoute } from './mount-route.ts';
import { OpenConnections } from './open-connections.ts';
import { type ParserRefusals, parserRefusals } from './parser-refusals.ts';
import { AnnouncedAddresses, type CallerParts, callerAddress, type Peers } from './peers.ts';
import { pipeline } from './pipeline.ts';
import { problemSender } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import { openRequestLog } from './request-log.ts';
import type { StopManner } from './stop-manner.ts';
import { followKeyPair, type KeyPairSource, tlsOptions } from './tls.ts';

/**
 * An `import` of this module would also load Node's client for WebSocket, and with it all of undici:
 * 60 ms of CPU time at each start, and some megabytes.
 */
const { createServer } = process.getBuiltinModule('node:http');

/** Dependencies and limits of a server. */
export interface HttpParts {
  readonly authentication: AuthenticateParts;
  readonly log: Logger;
  readonly counts: AnswerCounts;
  readonly keepAliveSeconds: number;
  readonly requestTimeoutMs: number;
  /** Most connections held at once. */
  readonly maxConnections: number;
  /** Named in each answer when given. */
  readonly workerName: string | undefined;
  /** Judges origins: the pages of which may read the answers; absent: of none. */
  readonly origins?: ((origin: string) => boolean) | undefined;
  /** Judges peers; absent: every address may connect. */
  readonly peers?: Peers | undefined;
  /** Where the callers behind trusted proxies are named. */
  readonly callers: CallerParts;
  /** See {@link StopParts}. */
  readonly endWaits: () => void;
  /** The certificate of TLS; absent: plain HTTP. */
  readonly keyPair?: KeyPairSource | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** See {@link callerAddress}. */
    readonly callerAddress: string | null;
  }
}

/** Matches the paths of a description: an open segment is any text without a slash. */
const patternOf = (path: string): RegExp => {
  const segments = path.split('/').map((segment) => (segment.startsWith(':') ? '[^/]+' : RegExp.escape(segment)));
  return new RegExp(`^${segments.join('/')}$`);
};

type RefusalOfUnknown = (request: FastifyRequest, reply: FastifyReply) => CatalyticError;

/**
 * Says what is unknown about a request that no route answers: the origin of a preflight, which the
 * stage "cross-origin" answers for listed ones, the path, or the method at it.
 */
const refusalOfUnknown = (routes: readonly Route[], { origins }: Pick<HttpParts, 'origins'>): RefusalOfUnknown => {
  const paths = [...Map.groupBy(routes, ({ path }) => path)].map(([path, known]) => ({ known, is: patternOf(path) }));
  return (request, reply) => {
    if (isPreflight(request.raw)) return refusedPreflight(origins !== undefined);
    const path = request.url.split('?')[0] ?? '';
    const known = paths.find(({ is }) => is.test(path))?.known;
    if (known === undefined) return new CatalyticError('route_unknown');
    reply.header('allow', known.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', '));
    return new CatalyticError('method_unsupported');
  };
};

/**
 * What `localhost` means as an address to listen on. A server listens on one address, and clients
 * that try `::1` first try this one next.
 */
const localhostAddress = '127.0.0.1';

/** An HTTP server of our routes. */
export interface HttpServer {
  readonly scheme: 'http' | 'https';
  /** Starts to listen; returns the port. */
  listen(address: { host: string; port: number; backlog: number }): Promise<number>;
  /**
   * Stops, and waits for the answers to all requests that have arrived whole or do so within a
   * second. Unless it must be quick, each connection is closed after its next answer, or when it has
   * been idle for as long as any idle connection is kept.
   */
  close(manner: StopManner): Promise<void>;
}

/** The framework, without stages and routes. */
const createFramework = (
  parts: HttpParts,
  onParserError: ParserRefusals['onParserError'],
  sendProblem: ReturnType<typeof problemSender>,
): FastifyInstance => {
  const { keyPair, keepAliveSeconds, requestTimeoutMs } = parts;
  const httpOptions = {
    keepAliveTimeout: keepAliveSeconds * 1000,
    requestTimeout: requestTimeoutMs,
    // A missing Host is refused by the stage "strict headers", with a code of ours.
    requireHostHeader: false,
    headersTimeout: Math.min(requestTimeoutMs, 60_000),
    connectionsCheckingInterval: 1000,
  };
  return fastify({
    genReqId: requestIdOf,
    requestIdHeader: false,
    bodyLimit: bodyBytesMax,
    forceCloseConnections: 'idle',
    // The stage "drain" refuses, with a code of ours.
    return503OnClosing: false,
    clientErrorHandler: onParserError,
    frameworkErrors: sendProblem,
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true },
    // Nothing is repaired: the request is judged as the client sent it.
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: false, allErrors: false } },
    // With a server from here the framework opens no second one for `localhost`. That one would have
    // none of the stages of connections.
    serverFactory: (handle: RequestListener): Server =>
      keyPair === undefined
        ? createServer(httpOptions, handle)
        : createTlsServer({ ...httpOptions, ...tlsOptions(keyPair.current, requestTimeoutMs) }, handle),
  });
};

/** Adds the stages and the routes to the framework. */
const mountPipeline = (server: FastifyInstance, parts: MountParts & { readonly arriving: ArrivingBodies }): void => {
  const { routes, workerHeaders, callers, announced } = parts;
  const node = server.server;
  for (const { mount } of pipeline.connection) mount(node, parts);
  dispatchRequests(
    node,
    pipeline.request.flatMap(({ mount }) => mount(node, parts) ?? []),
  );
  server.decorateRequest('caller', undefined);
  server.decorateRequest('startedMs', 0);
  server.decorateRequest('callerAddress', {
    getter(this: FastifyRequest) {
      return callerAddress(callers, announced, this.raw);
    },
  });
  addBodyParsers(server, routes, parts.arriving);
  // The error handler finds out whether it is the path or the method.
  server.setNotFoundHandler(() => {
    throw new CatalyticError('route_unknown');
  });
  if (Object.keys(workerHeaders).length > 0)
    server.addHook('onRequest', (_request, reply, done) => {
      reply.headers(workerHeaders);
      done();
    });
  for (const route of routes) mountRoute(server, route, parts);
};

/** Builds the server. It does not listen yet. */
export const createHttpServer = (parts: HttpParts, routes: readonly Route[]): HttpServer => {
  const { counts, keyPair, workerName } = parts;
  const log = openRequestLog(parts.log, counts);
  const sendProblem = problemSender(log, counts);
  const stopping = { isLeaving: false, isRefusing: false };
  const arriving = new ArrivingBodies({ requestTimeoutMs: parts.requestTimeoutMs, stopping });
  const connections = new OpenConnections();
  const refusals = parserRefusals(log, counts, connections, arriving);
  const server = createFramework(parts, refusals.onParserError, sendProblem);
  const unknown = refusalOfUnknown(routes, parts);
  // Where no route answers, that is the reason, whatever is wrong with the body.
  server.setErrorHandler<FastifyError>((error, request, reply) =>
    sendProblem(request.is404 ? unknown(request, reply) : error, request, reply),
  );
  const pipelineParts = {
    ...parts,
    routes,
    log,
    refusals,
    isPlain: keyPair === undefined,
    workerHeaders: workerName === undefined ? {} : { 'catalytic-worker': workerName },
    connections,
    announced: new AnnouncedAddresses(),
    answering: new Map() as AnswersUnderWay,
    stopping,
    arriving,
  };
  mountPipeline(server, pipelineParts);
  if (keyPair !== undefined) followKeyPair(server.server, keyPair);

  return {
    scheme: keyPair === undefined ? 'http' : 'https',
    listen: async ({ host, ...address }) => {
      await server.listen({ ...address, host: host === 'localhost' ? localhostAddress : host });
      return (server.server.address() as AddressInfo).port;
    },
    close: async (manner) => {
      await stopServer(server, pipelineParts, manner);
      log.close();
    },
  };
};
