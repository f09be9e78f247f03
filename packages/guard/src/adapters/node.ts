/**
 * `node:http`.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Auth, ReadNeeds } from '../auth.ts';
import type { Refusal } from '../refusals.ts';
import { type Judges, judge } from './judges.ts';

/** A handler of `node:http`. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A handler that is called for accepted requests only. */
export type GuardedNodeHandler = (request: IncomingMessage & { auth: Auth }, response: ServerResponse) => unknown;

/** Answers a request with a refusal. */
export const answerWith = (response: ServerResponse, { status, headers, body }: Refusal): void => {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
};

/** Wraps a handler. */
export const nodeHandler =
  (judges: Judges, needs: ReadNeeds, handler: GuardedNodeHandler): NodeHandler =>
  async (request, response) => {
    const verdict = await judge(judges, request, request.headers.authorization, needs);
    if (!verdict.accepted) return answerWith(response, verdict.refusal);
    await handler(Object.assign(request, { auth: verdict.auth }), response);
  };
