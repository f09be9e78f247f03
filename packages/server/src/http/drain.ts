/**
 * Stopping without dropping anybody: no new connection, every answer under way is sent.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

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
  /** See `HttpServer.close`. */
  close(isQuick: boolean): Promise<void>;
}

const connectionsOf = (server: FastifyInstance): Promise<number> =>
  new Promise((resolve) => server.server.getConnections((error, count) => resolve(error === null ? count : 0)));

/**
 * Watches the requests of a server from its start.
 * @param keepAliveSeconds how long an idle connection is kept
 */
export const watchForDrain = (server: FastifyInstance, keepAliveSeconds: number): Drain => {
  const answering = new Map<IncomingMessage, ServerResponse>();
  let isLeaving = false;
  let isRefusing = false;
  // Before the handler of the framework, which may answer in the same turn.
  server.server.prependListener('request', (request, response) => {
    answering.set(request, response);
    response.once('close', () => answering.delete(request));
    if (isLeaving) response.setHeader('connection', 'close');
  });

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
    // Node would wait for kept connections until their time is up, and for half-sent requests for ever.
    const halfSentUntilMs = performance.now() + halfSentMsMax;
    const timer = setInterval(() => {
      const isWaitedFor = ({ complete }: IncomingMessage) => complete || performance.now() < halfSentUntilMs;
      if ([...answering.keys()].some(isWaitedFor)) server.server.closeIdleConnections();
      else server.server.closeAllConnections();
    }, drainLookMs);
    await closed;
    clearInterval(timer);
  };
  return { isRefusing: () => isRefusing, close };
};
