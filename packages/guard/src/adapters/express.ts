/**
 * Express, and everything else that takes `(request, response, next)`.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Auth, ReadNeeds } from '../auth.ts';
import { type Judges, judge } from './judges.ts';
import { answerWith } from './node.ts';

/** Middleware. */
export type NodeMiddleware = (
  request: IncomingMessage & { auth?: Auth },
  response: ServerResponse,
  next: (error?: unknown) => void,
) => Promise<void>;

/** Lets accepted requests through. */
export const express =
  (judges: Judges, needs: ReadNeeds): NodeMiddleware =>
  async (request, response, next) => {
    const verdict = await judge(judges, request, request.headers.authorization, needs);
    if (!verdict.accepted) return answerWith(response, verdict.refusal);
    request.auth = verdict.auth;
    next();
  };
