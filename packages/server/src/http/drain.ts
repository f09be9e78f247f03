/**
 * Stopping without dropping anybody: no new connection, every answer under way is sent.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { AnswersUnderWay } from './answers-under-way.ts';

/** How often a stopping server looks for connections that have become idle, milliseconds. */
const drainLookMs = 20;
/** How long a stopping server waits for the rest of a body. */
const halfSentMsMax = 1000;
/** Clients are waited for on their open connections no longer than this, milliseconds. */
const farewellMsMax = 7000;

/** The stopping of a server. */
export interface Drain {
  /** Whether new work is refused. */
  isRefusing(): boolean;
  /** Tells of a request before anything of it is answered. */
  onRequest(response: ServerResponse): void;
  /** See `HttpServer.close`. */
  close(isQuick: boolean): Promise<void>;
}

const connectionsOf = (server: FastifyInstance): Promise<number> =>
  new Promise((resolve) => server.server.getConnections((error, count) => resolve(error === null ? count : 0)));

/** What a stop looks at. */
export interface DrainParts {
  readonly answering: AnswersUnderWay;
  /** Connections that are open, those among them that HTTP has not heard of. */
  readonly connections: ReadonlySet<Socket>;
  /** How long an idle connection is kept. */
  readonly keepAliveSeconds: number;
}

/** Prepares the stop of a server. */
export const watchForDrain = (
  server: FastifyInstance,
  { answering, connections, keepAliveSeconds }: DrainParts,
): Drain => {
  let isLeaving = false;
  let isRefusing = false;

  /** Serves on, on the connections that are open, until each of them has been told or has been left idle. */
  const sayFarewell = async (): Promise<void> => {
    isLeaving = true;
    for (const response of answering.values()) if (!response.headersSent) response.setHeader('connection', 'close');
    // The HTTP server's own `close` would also cut idle connections, on which a request may be on its way.
    Server.prototype.close.call(server.server);
    const untilMs = performance.now() + Math.min(farewellMsMax, keepAliveSeconds * 1000 + halfSentMsMax);
    while (performance.now() < untilMs && (await connectionsOf(server)) > 0) await delay(drainLookMs);
  };

  const close = async (isQuick: boolean): Promise<void> => {
    if (!isQuick) await sayFarewell();
    isRefusing = true;
    const closed = server.close();
    // Node would wait for kept connections until their time is up, for half-sent requests and for answers that nobody reads for ever.
    const halfSentUntilMs = performance.now() + halfSentMsMax;
    const timer = setInterval(() => {
      const isWaitedFor = ([{ complete }, { writableEnded }]: readonly [IncomingMessage, ServerResponse]) =>
        (complete && !writableEnded) || performance.now() < halfSentUntilMs;
      if ([...answering].some(isWaitedFor)) server.server.closeIdleConnections();
      else {
        server.server.closeAllConnections();
        // In the middle of a handshake.
        for (const socket of connections) socket.destroy();
      }
    }, drainLookMs);
    await closed;
    clearInterval(timer);
  };
  return {
    isRefusing: () => isRefusing,
    onRequest: (response) => {
      if (isLeaving) response.setHeader('connection', 'close');
    },
    close,
  };
};
