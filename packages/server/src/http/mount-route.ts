/**
 * From a route's description to the stages that every request of it passes.
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Call, Route } from '../features/route.ts';
import { Type } from '../features/schema.ts';
import { countAnswer } from '../telemetry/answer-counts.ts';
import { type PipelineParts, pipeline } from './pipeline.ts';
import { requestIdHeader } from './request-id.ts';
import type { RequestLog } from './request-log.ts';
import { requestOrigin } from './request-origin.ts';
import type { RouteStep } from './stage.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** When the first stage began, monotonic clock, whole milliseconds; 0 before that. */
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

/**
 * Takes the time of the first stage. Whole milliseconds: any other number would have to be
 * allocated.
 */
const start: RouteStep = (request) => {
  request.startedMs = Math.trunc(performance.now());
};

/** A step as a hook of the framework, which catches what it throws. */
const hookOf =
  (step: RouteStep) =>
  (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    const waiting = step(request, reply);
    if (waiting === undefined) done();
    else waiting.then(() => done(), done);
  };

/** Dependencies of every route. */
export interface MountParts extends PipelineParts {
  readonly log: RequestLog;
}

/**
 * Mounts a route: the framework runs the stages of the pipeline in their order, and then the use
 * case.
 */
export const mountRoute = (server: FastifyInstance, route: Route, parts: MountParts): void => {
  const { counts, log } = parts;
  const { body, isBodyOptional, query, params, answers, problemFormat, handle } = route;
  const answered = counts.of(route.path);
  const finish = (request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply => {
    countAnswer(answered, answer.status);
    if (log.writesSuccesses) log.answered(request, answer.status);
    // Only a client that gave an id looks for it; a header on each answer would cost every check of
    // a token.
    if (request.headers[requestIdHeader] === request.id) reply.header(requestIdHeader, request.id);
    return send(reply, answer);
  };
  server.route({
    method: route.method,
    url: route.path,
    config: { ...(problemFormat && { problemFormat }), ...(isBodyOptional && { isBodyOptional }) },
    schema: {
      summary: route.summary,
      response: answers,
      querystring: query ?? noQuery,
      ...(params && { params }),
      ...(body && { body }),
    },
    onRequest: [start, ...pipeline.route.map(({ mount }) => mount(parts, route))].map(hookOf),
    preValidation: pipeline.body.map(({ mount }) => hookOf(mount(parts, route))),
    handler: (request, reply) => {
      const { body, query, params, caller } = request;
      const origin = () => requestOrigin(request);
      const onClosed = (listener: () => void) => void reply.raw.once('close', listener);
      const { accept } = request.headers;
      const call = { body, query, params, origin, onClosed, accept, ...caller } as Call<unknown, unknown, unknown>;
      const answer = handle(call);
      // Awaited only where the use case is asynchronous: verify answers in the turn that judged the
      // token.
      return answer instanceof Promise
        ? answer.then((ready) => finish(request, reply, ready))
        : finish(request, reply, answer);
    },
  });
};
