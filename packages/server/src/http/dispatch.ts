/**
 * The one listener for Node's `request` event: it takes each request through the stages that come
 * before the framework.
 * @module
 */
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { RequestStep } from './stage.ts';

/**
 * Puts the steps before the listener that the framework has set. Call it once for a server.
 * @param steps each request takes them in this order, until one of them ends it
 */
export const dispatchRequests = (server: Server, steps: readonly RequestStep[]): void => {
  const [answer, ...others] = server.listeners('request') as RequestListener[];
  if (answer === undefined || others.length > 0) throw new Error('The framework has not set exactly one listener');
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const step of steps) if (step(request, response)) return;
    answer.call(server, request, response);
  });
};
