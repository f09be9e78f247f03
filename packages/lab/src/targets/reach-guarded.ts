/**
 * Whether a URL is that of an API behind a guard: it is asked once without a token, which a guard
 * refuses.
 * @module
 */
import { Connection, type ConnectionLimits } from './connection.ts';
import { remedyFor } from './failures.ts';

/** What the one question has shown. */
export type GuardedFinding =
  | { readonly kind: 'guarded' | 'unavailable' }
  | { readonly kind: 'unreachable' | 'unguarded'; readonly refusal: string };

const unguarded = (url: string, status: number): GuardedFinding => ({
  kind: 'unguarded',
  refusal:
    status >= 200 && status < 300
      ? `Cannot try tokens at ${url}: it answers ${status} without one, so no guard stands before it; guard this route, or name a guarded one with --guard`
      : `Cannot try tokens at ${url}: it answers ${status} without one, and a guard answers 401; name a guarded route of the API with --guard`,
});

/** Asks once. @param interrupted gives the question up */
export const reachGuarded = async (
  url: string,
  limits: ConnectionLimits,
  interrupted: AbortSignal,
): Promise<GuardedFinding> => {
  const { origin, pathname } = new URL(url);
  const connection = new Connection(origin, limits);
  const giveUp = (): void => void connection.destroy();
  interrupted.addEventListener('abort', giveUp);
  const reply = await connection.send({ method: 'GET', path: pathname });
  interrupted.removeEventListener('abort', giveUp);
  await connection.destroy();
  if ('failure' in reply) {
    const remedy = remedyFor(reply.failure, url) ?? 'start the API, or leave out this --guard';
    return { kind: 'unreachable', refusal: `Cannot reach the guarded API ${url}: ${reply.failure}; ${remedy}` };
  }
  if (reply.status === 401) return { kind: 'guarded' };
  return reply.status === 503 ? { kind: 'unavailable' } : unguarded(url, reply.status);
};
