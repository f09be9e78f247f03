/**
 * From a route's description to the steps that every request of it takes.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { Type } from 'typebox';
import type { Answer, Call, Route } from '../features/route.ts';
import { type AuthenticateParts, authenticate, type Caller } from './authenticate.ts';
import type { Drain } from './drain.ts';
import { isEmptyBody, isStream } from './json-body.ts';
import { refuseDoubledHeaders, refuseOddHead } from './strict-headers.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the step "authenticate". */
    caller: Caller;
  }
}

const send = (reply: FastifyReply, answer: Answer): FastifyReply => {
  if (answer.contentType !== undefined) reply.header('content-type', answer.contentType);
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

/** Mounts a route. The order of the steps is the table in `server.ts`. */
export const mountRoute = (
  server: FastifyInstance,
  route: Route,
  authentication: AuthenticateParts,
  drain: Drain,
): void => {
  const { access, body, streamType, query, params, answers, handle } = route;
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
      try {
        if (drain.isRefusing()) refuseWhileStopping(reply);
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
      const { body, query, params, caller } = request;
      const call = { body, query, params, ...caller } as Call<unknown, unknown, unknown>;
      const answer = handle(call);
      // Awaited only where the use case is asynchronous: verify answers in the turn that judged the token.
      return answer instanceof Promise ? answer.then((ready) => send(reply, ready)) : send(reply, answer);
    },
  });
};
