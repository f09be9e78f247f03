/**
 * Stage: keeps account of the answers under way, with two limits: how long a client may take to
 * read an answer, and how many requests it may send without reading any.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import type { RequestStage } from './stage.ts';

/**
 * Most requests that wait behind another one of the same connection. Browsers and proxies send
 * none, a client that pipelines a few. Node would take more than a thousand, as many as fit into
 * one read, and keep each until the answers before it are read.
 */
const pipelinedMax = 100;
/** Time between two searches for answers that the client does not read, milliseconds. */
const lookEveryMs = 1000;

/** Requests that have not been answered to the last byte. */
export type AnswersUnderWay = Map<IncomingMessage, ServerResponse>;

/** Dependencies of the stage. */
export interface WatchParts {
  /** How long a client may take to read an answer. */
  readonly requestTimeoutMs: number;
  readonly counts: AnswerCounts;
  /** Filled here. */
  readonly answering: AnswersUnderWay;
}

/**
 * Cuts connections whose client does not read an answer for longer than it may. Returns the timer.
 */
const cutUnread = ({ requestTimeoutMs, counts, answering }: WatchParts): NodeJS.Timeout => {
  const endedMs = new WeakMap<ServerResponse, number>();
  return setInterval(() => {
    const nowMs = performance.now();
    for (const [request, response] of answering) {
      // A response without a socket waits for its turn.
      if (!response.writableEnded || response.socket === null) continue;
      const sinceMs = endedMs.get(response);
      if (sinceMs === undefined) endedMs.set(response, nowMs);
      else if (nowMs - sinceMs > requestTimeoutMs) {
        counts.cut('unread');
        request.socket.destroy();
      }
    }
  }, lookEveryMs).unref();
};

/** The first to see a request. */
export const watch: RequestStage<WatchParts> = {
  name: 'watch',
  mount: (server, parts) => {
    const { counts, answering } = parts;
    /** Requests in the queue of a connection. */
    const queues = new WeakMap<Socket, Set<IncomingMessage>>();

    /** Returns whether the queue has no room for the request: then the connection is cut. */
    const isTooMany = (request: IncomingMessage): boolean => {
      const { socket } = request;
      let queue = queues.get(socket);
      if (queue === undefined) {
        const fresh = new Set<IncomingMessage>();
        queue = fresh;
        queues.set(socket, fresh);
        // Answers that are still in the queue then get no `close` event.
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

    const timer = cutUnread(parts);
    server.once('close', () => clearInterval(timer));
    return (request, response) => {
      // It was read together with the request that was one too many.
      if (request.socket.destroyed) return true;
      // Its turn has not come yet.
      if (response.socket === null && isTooMany(request)) return true;
      answering.set(request, response);
      response.once('close', () => {
        answering.delete(request);
        queues.get(request.socket)?.delete(request);
      });
      return false;
    };
  },
};
