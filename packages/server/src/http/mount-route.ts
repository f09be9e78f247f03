/**
 * From a route's description to the steps that every request of it takes.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Answer, Call, Route } from '../features/route.ts';
import { type AnswerCounts, countAnswer } from '../telemetry/answer-counts.ts';
import { type AuthenticateParts, authenticate, type Caller } from './authenticate.ts';
import type { Drain } from './drain.ts';
import { isEmptyBody, isStream } from './json-body.ts';
import { requestIdHeader } from './request-id.ts';
import type { RequestLog } from './request-log.ts';
import { requestOrigin } from './request-origin.ts';
import { refuseDoubledHeaders, refuseOddHead } from './strict-headers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the step "authenticate". */
    caller: Caller;
    /** When the first step began, monotonic clock, whole milliseconds; 0 before that. */
    startedMs: number;
  }
}

const send = (reply: FastifyReply, answer: Answer): FastifyReply => {
  if (answer.contentType !== undefined) reply.header('content-type', answer.contentType);
  if (answer.headers !== undefined) reply.headers(answer.headers);
  return reply
    .code(answer.status)
    .header('cache-control', answer.cacheControl ?? 'no-store')
    .send(answer.body);
};

const noQuery = Type.Object({}, { additionalProperties: false });

/** The load balancer finds another process; the connection is not worth keeping. */
const refuseWhileStopping = (reply: FastifyReply): never => {
  reply.header('connection', 'close');
  throw new CatalyticError('shutting_down', { retryAfterSeconds: 1 });
};

/** What every route is mounted with. */
export interface MountParts {
  readonly authentication: AuthenticateParts;
  readonly drain: Drain;
  readonly counts: AnswerCounts;
  readonly log: RequestLog;
}

/** Mounts a route. The order of the steps is the table in `server.ts`. */
export const mountRoute = (server: FastifyInstance, route: Route, parts: MountParts): void => {
  const { authentication, drain, counts, log } = parts;
  const { access, body, streamType, query, params, answers, handle } = route;
  const answered = counts.of(route.path);
  const finish = (request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply => {
    countAnswer(answered, answer.status);
    if (log.writesSuccesses) log.answered(request, answer.status);
    // Only a client that gave an id looks for it; a header on each answer would cost every check of a token.
    if (request.headers[requestIdHeader] === request.id) reply.header(requestIdHeader, request.id);
    return send(reply, answer);
  };
  const takesBody = body !== undefined || streamType !== undefined;
  server.route({
    method: route.method,
    url: route.path,
    schema: {
      summary: route.summary,
      response: answers,
      querystring: query ?? noQuery,
      ...(params && { params }),
      ...(body && { body }),
    },
    onRequest: (request, reply, done) => {
      // Whole milliseconds: a number that is not has to be allocated.
      request.startedMs = Math.trunc(performance.now());
      try {
        if (drain.isRefusing()) refuseWhileStopping(reply);
        refuseOddHead(request.raw);
        refuseDoubledHeaders(request.raw);
        const caller = authenticate(authentication, access, request);
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
      const { body, query, params, caller } = request;
      const origin = () => requestOrigin(request);
      const call = { body, query, params, origin, ...caller } as Call<unknown, unknown, unknown>;
      const answer = handle(call);
      // Awaited only where the use case is asynchronous: verify answers in the turn that judged the token.
      return answer instanceof Promise
        ? answer.then((ready) => finish(request, reply, ready))
        : finish(request, reply, answer);
    },
  });
};
