/**
 * Stopping without dropping anybody: no new connection, no new work, every answer under way is sent.
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** How often a stopping server looks for connections that have become idle, milliseconds. */
const drainLookMs = 20;
/** How long a stopping server waits for the rest of a body. */
const halfSentMsMax = 1000;

/**
 * Watches the requests of a server from its start.
 * @returns closes the server: waits for the answers to all requests that have arrived whole or do so within a second
 */
export const watchForDrain = (server: FastifyInstance): (() => Promise<void>) => {
  const answering = new Set<IncomingMessage>();
  server.server.on('request', (request, response) => {
    answering.add(request);
    response.once('close', () => answering.delete(request));
  });

  return async () => {
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
  };
};
