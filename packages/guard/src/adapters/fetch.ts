/**
 * Handlers from `Request` to `Response` (Fetch standard).
 * @module
 */
import type { Auth, ReadNeeds } from '../auth.ts';
import type { Refusal } from '../refusals.ts';
import { type Judges, judge } from './judges.ts';

/** A handler. */
export type FetchHandler<Rest extends unknown[]> = (request: Request, ...rest: Rest) => Promise<Response>;

/** A handler that is called for accepted requests only. */
export type GuardedFetchHandler<Rest extends unknown[]> = (
  request: Request,
  auth: Auth,
  ...rest: Rest
) => Response | Promise<Response>;

/** The answer to a refused request. */
export const responseOf = ({ status, headers, body }: Refusal): Response => new Response(body, { status, headers });

/** Wraps a handler. */
export const fetchHandler =
  <Rest extends unknown[]>(judges: Judges, needs: ReadNeeds, handler: GuardedFetchHandler<Rest>): FetchHandler<Rest> =>
  async (request, ...rest) => {
    const verdict = await judge(judges, request, request.headers.get('authorization') ?? undefined, needs);
    return verdict.accepted ? handler(request, verdict.auth, ...rest) : responseOf(verdict.refusal);
  };
