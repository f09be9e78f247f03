/**
 * Stage: keeps account of the answers under way, with two limits: how long a client may take to
 * read an answer, and how many requests it may send without reading any.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerCounts } from '../telemetry/answer-counts.ts';
import type { Connection, OpenConnections } from './open-connections.ts';
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
  readonly connections: OpenConnections;
  /** Filled here. */
  readonly answering: AnswersUnderWay;
}

/**
 * Cuts connections whose client does not read an answer for longer than it may. Returns the timer.
 */
const cutUnread = ({ requestTimeoutMs, counts, connections, answering }: WatchParts): NodeJS.Timeout => {
  const endedMs = new WeakMap<ServerResponse, number>();
  return setInterval(() => {
    const nowMs = performance.now();
    for (const [request, response] of answering) {
      // A response without a socket waits for its turn.
      if (!response.writableEnded || response.socket === null) continue;
      const sinceMs = endedMs.get(response);
      if (sinceMs === undefined) {
        endedMs.set(response, nowMs);
        continue;
      }
      const connection = connections.of(request.socket);
      if (connection !== undefined) connection.isUnread = true;
      if (nowMs - sinceMs > requestTimeoutMs) {
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
    const { counts, connections, answering } = parts;

    /** Returns whether the queue has no room for the request: then the connection is cut. */
    const isTooMany = (connection: Connection, request: IncomingMessage): boolean => {
      if (connection.queue === undefined) {
        const queue = new Set<IncomingMessage>();
        connection.queue = queue;
        // Answers that are still in the queue then get no `close` event.
        request.socket.once('close', () => {
          for (const queued of queue) answering.delete(queued);
        });
      }
      connection.queue.add(request);
      if (connection.queue.size <= pipelinedMax) return false;
      counts.cut('pipelined');
      request.socket.destroy();
      return true;
    };

    const timer = cutUnread(parts);
    server.once('close', () => clearInterval(timer));
    return (request, response) => {
      const connection = connections.of(request.socket);
      // It was read together with the request that was one too many, or with one that was refused.
      if (connection === undefined || connection.isEnding || request.socket.destroyed) return true;
      // Its turn has not come yet.
      if (response.socket === null && isTooMany(connection, request)) return true;
      answering.set(request, response);
      connections.begin(connection, request);
      response.once('close', () => {
        answering.delete(request);
        connections.finish(connection, request);
      });
      return false;
    };
  },
};
