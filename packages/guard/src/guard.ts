/**
 * `@catalytic/guard`: lets a request through while Catalytic accepts its access token, and refuses it once its owner has signed out.
 * @module
 */

import { express, type NodeMiddleware } from './adapters/express.ts';
import { type FastifyHook, type FastifyPlugin, fastify, fastifyHook } from './adapters/fastify.ts';
import { type FetchHandler, fetchHandler, type GuardedFetchHandler } from './adapters/fetch.ts';
import { type HonoMiddleware, hono } from './adapters/hono.ts';
import { type GuardedNodeHandler, type NodeHandler, nodeHandler } from './adapters/node.ts';
import { ask } from './ask.ts';
import { type Auth, callerOf, lacking, type Needs, type ReadNeeds, readNeeds, type Verdict } from './auth.ts';
import { bearerToken } from './bearer-token.ts';
import { type GuardOptions, readOptions } from './options.ts';
import { refuse } from './refusals.ts';
import { Reporter } from './reporter.ts';

export { authOf } from './adapters/judges.ts';
export type { Auth, Needs, Verdict } from './auth.ts';
export type { GuardOptions } from './options.ts';
export type { Refusal, RefusalCode } from './refusals.ts';

/** What a guard has done and what it knows, for health checks and metrics. */
export interface GuardState {
  readonly mode: 'ask';
  /** Verdicts so far: accepted, refused, and those that were not to be had (503). */
  readonly accepted: number;
  readonly refused: number;
  readonly unavailable: number;
  /** Why the last verdict was not to be had; `undefined` when the last one was. */
  readonly problem: string | undefined;
}

/** A guard. */
export interface Guard {
  /**
   * Judges the value of an `Authorization` header. Never rejects, and never remembers a verdict: ask for each request.
   * @param needs what the route asks for besides
   */
  verify(authorization: string | undefined, needs?: Needs): Promise<Verdict>;
  /** Middleware for Express 4 and 5, and for everything that takes `(request, response, next)`. It sets `request.auth`. */
  express(needs?: Needs): NodeMiddleware;
  /** As {@link Guard.express}; behind it, on the same request, it asks for nothing twice. */
  needs(needs: Needs): NodeMiddleware;
  /** Plugin for Fastify 5: `app.register(guard.fastify)` guards every route of the instance. It sets `request.auth`. */
  readonly fastify: FastifyPlugin;
  /** Hook for one route of Fastify: `{ onRequest: guard.fastifyNeeds({ role: 'editor' }) }`. */
  fastifyNeeds(needs: Needs): FastifyHook;
  /** Middleware for Hono 4. It sets the variable `auth`. */
  hono(needs?: Needs): HonoMiddleware;
  /** Wraps a handler of `node:http`. It sets `request.auth`. */
  node(handler: GuardedNodeHandler, needs?: Needs): NodeHandler;
  /** Wraps a handler from `Request` to `Response` (Bun, Deno, Workers, Next.js); it gets the caller as its second argument. */
  fetch<Rest extends unknown[]>(handler: GuardedFetchHandler<Rest>, needs?: Needs): FetchHandler<Rest>;
  readonly state: GuardState;
  /** The figures of {@link Guard.state} in Prometheus' text form. */
  metrics(): string;
  /** Ends the guard: from here on it accepts nothing. */
  stop(): Promise<void>;
}

/**
 * Makes a guard. The service need not run yet.
 * @throws {TypeError} for settings that cannot work, naming the setting
 */
export const createGuard = async (options: GuardOptions): Promise<Guard> => {
  const { url, timeoutMs, tenant, fetch, onProblem } = readOptions(options);
  const counts = { accepted: 0, refused: 0, unavailable: 0 };
  const reporter = new Reporter(onProblem);
  let isStopped = false;

  const count = (verdict: Verdict): Verdict => {
    if (verdict.accepted) counts.accepted++;
    else if (verdict.refusal.status === 503) counts.unavailable++;
    else counts.refused++;
    return verdict;
  };

  const judge = async (authorization: string | undefined, needs: ReadNeeds): Promise<Verdict> => {
    if (isStopped) return { accepted: false, refusal: refuse('verdict_unavailable') };
    const token = bearerToken(authorization);
    if (token === undefined) return { accepted: false, refusal: refuse('token_missing') };
    const claims = await ask({ url, timeoutMs, fetch, onProblem: (reason) => reporter.report(reason) }, token);
    // It may have been stopped while the service was asked.
    if (isStopped || claims === 'verdict_unavailable')
      return { accepted: false, refusal: refuse('verdict_unavailable') };
    reporter.clear();
    if (typeof claims === 'string') return { accepted: false, refusal: refuse(claims) };
    const nowMs = Date.now();
    const auth = callerOf(claims, nowMs);
    const refusal =
      tenant !== undefined && auth.tenant !== tenant ? refuse('tenant_wrong') : lacking(auth, needs, nowMs);
    return refusal === undefined ? { accepted: true, auth } : { accepted: false, refusal };
  };

  const verify = async (authorization: string | undefined, needs: ReadNeeds): Promise<Verdict> =>
    count(await judge(authorization, needs));
  const judges = { verify, lacking: (auth: Auth, needs: ReadNeeds) => lacking(auth, needs, Date.now()) };

  return {
    verify: (authorization, needs) => verify(authorization, readNeeds(needs)),
    express: (needs) => express(judges, readNeeds(needs)),
    needs: (needs) => express(judges, readNeeds(needs)),
    fastify: fastify(judges),
    fastifyNeeds: (needs) => fastifyHook(judges, readNeeds(needs)),
    hono: (needs) => hono(judges, readNeeds(needs)),
    node: (handler, needs) => nodeHandler(judges, readNeeds(needs), handler),
    fetch: (handler, needs) => fetchHandler(judges, readNeeds(needs), handler),
    get state() {
      return { mode: 'ask' as const, ...counts, problem: reporter.problem };
    },
    metrics: () =>
      [
        '# HELP catalytic_guard_verdicts_total Verdicts of this guard.',
        '# TYPE catalytic_guard_verdicts_total counter',
        ...Object.entries(counts).map(
          ([verdict, total]) => `catalytic_guard_verdicts_total{verdict="${verdict}"} ${total}`,
        ),
        '',
      ].join('\n'),
    stop: async () => {
      isStopped = true;
    },
  };
};
