/**
 * The answers that are under way, and two limits on them: how long a client may take to read one, and how many requests it may send
 * without reading any.
 * @module
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';

/**
 * Requests that wait behind another one of the same connection; browsers and proxies send none, a client that pipelines a few. Node would
 * take as many as fit into what it reads at once, more than a thousand, and keep each until the answers before it are read.
 */
const pipelinedMax = 100;
/** Between two looks for answers that nobody reads, milliseconds. */
const lookEveryMs = 1000;

/** Requests that have not been answered to the last byte. */
export type AnswersUnderWay = ReadonlyMap<IncomingMessage, ServerResponse>;

/**
 * Watches the requests of a server from its start, before anything else sees them.
 * @param readMsMax how long a client may take to read an answer
 * @param onRequest called for each
 */
export const watchAnswers = (
  server: Server,
  readMsMax: number,
  counts: AnswerCounts,
  onRequest: (response: ServerResponse) => void,
): AnswersUnderWay => {
  const answering = new Map<IncomingMessage, ServerResponse>();
  /** Requests in the queue of a connection. */
  const queues = new WeakMap<Socket, Set<IncomingMessage>>();

  /** Returns whether there is no room for it: then the connection is cut. */
  const isTooMany = (request: IncomingMessage): boolean => {
    const { socket } = request;
    let queue = queues.get(socket);
    if (queue === undefined) {
      const fresh = new Set<IncomingMessage>();
      queue = fresh;
      queues.set(socket, fresh);
      // Answers that are still in the queue then are not told of it.
      socket.once('close', () => {
        for (const queued of fresh) answering.delete(queued);
      });
    }
    queue.add(request);
    if (queue.size <= pipelinedMax) return false;
    counts.cut('pipelined');
    socket.destroy();
    return true;
  };

  const handlers = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    // What was read together with the request that was one too many.
    if (request.socket.destroyed) return;
    // Not its turn yet.
    if (response.socket === null && isTooMany(request)) return;
    answering.set(request, response);
    response.once('close', () => {
      answering.delete(request);
      queues.get(request.socket)?.delete(request);
    });
    onRequest(response);
    for (const handle of handlers) handle.call(server, request, response);
  });

  const endedMs = new WeakMap<ServerResponse, number>();
  const timer = setInterval(() => {
    const nowMs = performance.now();
    for (const [request, response] of answering) {
      // Without a socket it waits for its turn.
      if (!response.writableEnded || response.socket === null) continue;
      const sinceMs = endedMs.get(response);
      if (sinceMs === undefined) endedMs.set(response, nowMs);
      else if (nowMs - sinceMs > readMsMax) {
        counts.cut('unread');
        request.socket.destroy();
      }
    }
  }, lookEveryMs).unref();
  server.once('close', () => clearInterval(timer));
  return answering;
};
