/**
 * The HTTP pipeline: one for every route, mounted from the features' descriptions.
 *
 * | step | what it does | refuses with |
 * |---|---|---|
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
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CatalyticError, type ErrorCode, errorKind } from '@catalytic/protocol/errors';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { Type } from 'typebox';
import type { Answer, Call, Route } from '../features/route.ts';
import type { Logger } from '../telemetry/log.ts';
import { type AuthenticateParts, authenticate, type Caller } from './authenticate.ts';
import { problemOf, problemSender } from './problem.ts';
import { refuseDoubledHeaders, refuseOddHead } from './strict-headers.ts';

/** What the pipeline is made of. */
export interface HttpParts {
  readonly authentication: AuthenticateParts;
  readonly log: Logger;
  readonly keepAliveSeconds: number;
  readonly requestTimeoutMs: number;
}

/** Largest JSON body, bytes. */
const bodyBytesMax = 64 * 1024;

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the step "authenticate". */
    caller: Caller;
  }
}

/** Refusals of Node's parser, which come before there is a request (https://nodejs.org/api/errors.html). */
const codeOfParserError: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};

/** A refusal from outside the framework: the whole answer, after which the connection is closed. */
const endWithProblem = (socket: Duplex, code: ErrorCode): void => {
  const body = JSON.stringify(problemOf(new CatalyticError(code)));
  socket.end(
    `HTTP/1.1 ${errorKind(code).status} Refused\r\ncontent-type: application/problem+json; charset=utf-8\r\ncache-control: no-store\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
};

const answerParserError = (error: NodeJS.ErrnoException, socket: Socket): void => {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  endWithProblem(socket, codeOfParserError[error.code ?? ''] ?? 'request_malformed');
};

/** Bodies are JSON in UTF-8, exactly: a byte that is no text must not become another password than the one sent. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

const parseJson = (request: FastifyRequest, bytes: Buffer): unknown => {
  // Many clients name the content type on a POST without a body.
  if (bytes.length === 0 && request.routeOptions.schema?.body === undefined) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    // The parser's own message would quote the body, which may hold a password.
    throw new CatalyticError('body_malformed');
  }
};

const isEmptyBody = (body: unknown): boolean =>
  body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);

const send = (reply: FastifyReply, answer: Answer): FastifyReply =>
  reply
    .code(answer.status)
    .header('cache-control', answer.cacheControl ?? 'no-store')
    .send(answer.body);

const noQuery = Type.Object({}, { additionalProperties: false });

const mount = (server: FastifyInstance, route: Route, authentication: AuthenticateParts): void => {
  const { access, body, streamType, query, answers, handle } = route;
  const takesBody = body !== undefined || streamType !== undefined;
  server.route({
    method: route.method,
    url: route.path,
    schema: { summary: route.summary, response: answers, querystring: query ?? noQuery, ...(body && { body }) },
    onRequest: (request, reply, done) => {
      try {
        if (!server.server.listening) refuseWhileStopping(reply);
        refuseOddHead(request.raw);
        refuseDoubledHeaders(request.raw);
        const caller = authenticate(authentication, access, request.headers.authorization);
        if (caller instanceof Promise)
          caller.then((found) => {
            request.caller = found;
            done();
          }, done);
        else {
          request.caller = caller;
          done();
        }
      } catch (error) {
        done(error as Error);
      }
    },
    preValidation: (request, _reply, done) => {
      if (!takesBody && !isEmptyBody(request.body))
        return done(new CatalyticError('body_invalid', { detail: 'This route takes no body' }));
      if (streamType !== undefined && !isStream(request.body))
        return done(new CatalyticError('content_type_unsupported', { detail: `This route takes ${streamType}` }));
      if (streamType === undefined && isStream(request.body))
        return done(new CatalyticError('content_type_unsupported'));
      done();
    },
    handler: (request, reply) => {
      const call = { body: request.body, query: request.query, ...request.caller } as Call<unknown, unknown>;
      const answer = handle(call);
      // Awaited only where the use case is asynchronous: verify answers in the turn that judged the token.
      return answer instanceof Promise ? answer.then((ready) => send(reply, ready)) : send(reply, answer);
    },
  });
};

/** The load balancer finds another process; the connection is not worth keeping. */
const refuseWhileStopping = (reply: FastifyReply): never => {
  reply.header('connection', 'close');
  throw new CatalyticError('shutting_down', { retryAfterSeconds: 1 });
};

const isStream = (body: unknown): boolean => typeof body === 'object' && body !== null && 'pipe' in body;

const refuseUnknownRoute = (routes: readonly Route[]) => {
  const methods = Map.groupBy(routes, ({ path }) => path);
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const known = methods.get(request.url.split('?')[0] ?? '');
    if (known === undefined) throw new CatalyticError('route_unknown');
    reply.header('allow', known.map(({ method }) => method).join(', '));
    throw new CatalyticError('method_unsupported');
  };
};

/** How often a stopping server looks for connections that have become idle, milliseconds. */
const drainLookMs = 20;
/** How long a stopping server waits for the rest of a body. */
const halfSentMsMax = 1000;

/** An HTTP server of our routes. */
export interface HttpServer {
  /** Starts to listen; returns the port. */
  listen(address: { host: string; port: number; backlog: number }): Promise<number>;
  /** Stops accepting, and waits for the answers to all requests that have arrived whole or do so within a second. */
  close(): Promise<void>;
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
  for (const route of routes) mount(server, route, parts.authentication);

  // Any expectation but 100-continue, which Node meets by itself.
  server.server.on('checkExpectation', (request) => endWithProblem(request.socket, 'header_invalid'));

  const answering = new Set<IncomingMessage>();
  server.server.on('request', (request, response) => {
    answering.add(request);
    response.once('close', () => answering.delete(request));
  });

  return {
    listen: async (address) => {
      await server.listen(address);
      return (server.server.address() as AddressInfo).port;
    },
    close: async () => {
      const closed = server.close();
      // Node would wait for kept connections until their time is up, and for half-sent requests for ever.
      const halfSentUntilMs = performance.now() + halfSentMsMax;
      const timer = setInterval(() => {
        const isWaitedFor = ({ complete }: IncomingMessage) => complete || performance.now() < halfSentUntilMs;
        if ([...answering].some(isWaitedFor)) server.server.closeIdleConnections();
        else server.server.closeAllConnections();
      }, drainLookMs);
      await closed;
      clearInterval(timer);
    },
  };
};
