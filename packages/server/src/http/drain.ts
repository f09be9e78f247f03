/**
 * Stages: stopping without dropping a request. Every answer under way is sent.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { FastifyInstance } from 'fastify';
import type { AnswersUnderWay } from './answers-under-way.ts';
import type { OpenConnections } from './open-connections.ts';
import type { RequestStage, RouteStage } from './stage.ts';
import type { StopManner } from './stop-manner.ts';

/** How often a stopping server looks for connections that have become idle, milliseconds. */
const drainLookMs = 20;
/** How long a stopping server waits for the rest of a body. */
const halfSentMsMax = 1000;
/** How long clients may go on using their open connections at most, milliseconds. */
const farewellMsMax = 7000;

/** How far a server has come in stopping. */
export interface Stopping {
  /** Requests are served on; each answer closes its connection. */
  isLeaving: boolean;
  /** New work is refused. */
  isRefusing: boolean;
}

/** Dependencies of the stages. */
export interface DrainParts {
  readonly stopping: Stopping;
}

/** Tells clients of a stopping server to close their connections. */
export const farewell: RequestStage<DrainParts> = {
  name: 'farewell',
  mount:
    (_server, { stopping }) =>
    (_request, response) => {
      if (stopping.isLeaving) response.setHeader('connection', 'close');
      return false;
    },
};

/** Refuses new work at the end of a stop. */
export const drain: RouteStage<DrainParts> = {
  name: 'drain',
  refuses: () => ['shutting_down'],
  mount:
    ({ stopping }) =>
    (_request, reply) => {
      if (!stopping.isRefusing) return;
      // The load balancer finds another process; the connection is not worth keeping.
      reply.header('connection', 'close');
      throw new CatalyticError('shutting_down', { retryAfterSeconds: 1 });
    },
};

const connectionsOf = (server: FastifyInstance): Promise<number> =>
  new Promise((resolve) => server.server.getConnections((error, count) => resolve(error === null ? count : 0)));

/** Dependencies of a stop. */
export interface StopParts extends DrainParts {
  readonly answering: AnswersUnderWay;
  readonly connections: OpenConnections;
  /** How long an idle connection is kept. */
  readonly keepAliveSeconds: number;
  /** Called when no new connection is taken any more: answers what is held until there is news. */
  readonly endWaits: () => void;
}

/**
 * Continues to serve until each connection has had an answer with `Connection: close`, or has been
 * idle for the time that idle connections are kept.
 */
const sayFarewell = async (server: FastifyInstance, parts: StopParts, manner: StopManner): Promise<void> => {
  const { stopping, answering, keepAliveSeconds, endWaits } = parts;
  stopping.isLeaving = true;
  for (const response of answering.values()) if (!response.headersSent) response.setHeader('connection', 'close');
  if (manner === 'replaced') {
    // The HTTP server's own `close` would also cut idle connections, on which a request may be on
    // its way.
    Server.prototype.close.call(server.server);
    endWaits();
  }
  const untilMs = performance.now() + Math.min(farewellMsMax, keepAliveSeconds * 1000 + halfSentMsMax);
  while (performance.now() < untilMs && (await connectionsOf(server)) > 0) await delay(drainLookMs);
};

/** Stops a server; see `HttpServer.close`. */
export const stopServer = async (server: FastifyInstance, parts: StopParts, manner: StopManner): Promise<void> => {
  const { stopping, answering, connections, endWaits } = parts;
  if (manner !== 'quick') await sayFarewell(server, parts, manner);
  stopping.isRefusing = true;
  const closed = server.close();
  endWaits();
  // Node would wait for kept connections until their time is up, and without end for half-sent
  // requests and for answers that are not read.
  const halfSentUntilMs = performance.now() + halfSentMsMax;
  const timer = setInterval(() => {
    const isWaitedFor = ([{ complete }, { writableEnded }]: readonly [IncomingMessage, ServerResponse]) =>
      (complete && !writableEnded) || performance.now() < halfSentUntilMs;
    if ([...answering].some(isWaitedFor)) server.server.closeIdleConnections();
    else {
      server.server.closeAllConnections();
      connections.destroyAll();
    }
  }, drainLookMs);
  await closed;
  clearInterval(timer);
};
