/**
 * `@catalytic/guard`: lets a request through while Catalytic accepts its access token, and refuses it once its owner has signed out.
 * @module
 */

import { express, type NodeMiddleware } from './adapters/express.ts';
import { type FastifyHook, type FastifyPlugin, fastify, fastifyHook } from './adapters/fastify.ts';
import { type FetchHandler, fetchHandler, type GuardedFetchHandler } from './adapters/fetch.ts';
import { type HonoMiddleware, hono } from './adapters/hono.ts';
import { type GuardedNodeHandler, type NodeHandler, nodeHandler } from './adapters/node.ts';
import { askVerdicts } from './ask-verdicts.ts';
import { type Auth, callerOf, lacking, type Needs, type ReadNeeds, readNeeds, type Verdict } from './auth.ts';
import { bearerToken } from './bearer-token.ts';
import { type GuardState, metricsOf } from './guard-state.ts';
import { localVerdicts } from './local-verdicts.ts';
import { type GuardOptions, type ReadOptions, readOptions } from './options.ts';
import {
  metadataUrlOf,
  type ProtectedResource,
  pointToMetadata,
  protectedResource,
  type ResourceDetails,
} from './protected-resource.ts';
import { type Refusal, type RefusalCode, refuse } from './refusals.ts';
import { Reporter } from './reporter.ts';
import type { Accepted, Verdicts } from './verdicts.ts';

export { authOf } from './adapters/judges.ts';
export type { Auth, Needs, Verdict } from './auth.ts';
export type { GuardState } from './guard-state.ts';
export type { GuardOptions } from './options.ts';
export type { ProtectedResource, ResourceDetails } from './protected-resource.ts';
export type { Refusal, RefusalCode } from './refusals.ts';
export type { Mode, WhenStale } from './verdicts.ts';

/** A guard. */
export interface Guard {
  /**
   * Judges an access token at once, by what this process knows. Never throws. Call it for each use
   * of the token, and never store the verdict. While the guard is not current, and always in mode
   * `ask`, the refusal is `verdict_unavailable`.
   */
  check(token: string): Verdict;
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
  /**
   * The metadata of the API (RFC 9728): serve `document` at `path`, in front of the guard.
   * @throws {TypeError} without the setting `resource`
   */
  protectedResource(details?: ResourceDetails): ProtectedResource;
  readonly state: GuardState;
  /** The figures of {@link Guard.state} in Prometheus' text form. */
  metrics(): string;
  /**
   * Ends the guard: from here on it accepts nothing. A strict guard leaves, so that no sign-out waits
   * for it any more. Until then its polls keep the process running.
   */
  stop(): Promise<void>;
}

/** How the guard reaches its verdicts, by its mode. */
const openVerdicts = (options: ReadOptions, reporter: Reporter, onStaleAllowed: () => void): Promise<Verdicts> => {
  const { mode, key, issuer, audience } = options;
  return key === undefined
    ? Promise.resolve(askVerdicts(options, reporter))
    : localVerdicts({
        ...{ ...options, key, reporter, onStaleAllowed },
        ...{ isStrict: mode === 'strict', expectation: { issuer, audience } },
      });
};

/**
 * Makes a guard. The service need not run yet: then the guard is not current when this resolves, and
 * becomes it by itself.
 * @throws {TypeError} for settings that cannot work, naming the setting
 */
export const createGuard = async (options: GuardOptions): Promise<Guard> => {
  const read = readOptions(options);
  const { mode, issuer, tenant, resource, whenStale } = read;
  const counts = { accepted: 0, refused: 0, unavailable: 0, acceptedStale: 0 };
  const reporter = new Reporter(read.onProblem);
  const verdicts = await openVerdicts(read, reporter, () => {
    counts.acceptedStale++;
    reporter.allow();
  });
  const noNeeds = readNeeds(mode);

  const metadataUrl = resource === undefined ? undefined : metadataUrlOf(resource).href;
  const challenged = (refusal: Refusal): Refusal =>
    metadataUrl === undefined ? refusal : pointToMetadata(refusal, metadataUrl);
  const refused = (code: RefusalCode): Verdict => ({ accepted: false, refusal: challenged(refuse(code)) });
  const lackingIn = (auth: Auth, needs: ReadNeeds): Refusal | undefined => {
    const refusal = lacking(auth, needs, Date.now());
    return refusal && challenged(refusal);
  };
  const verdictOf = (judged: Accepted | RefusalCode, needs: ReadNeeds): Verdict => {
    if (typeof judged === 'string') return refused(judged);
    const auth = callerOf(judged);
    if (tenant !== undefined && auth.tenant !== tenant) return refused('tenant_wrong');
    const refusal = lackingIn(auth, needs);
    return refusal === undefined ? { accepted: true, auth } : { accepted: false, refusal };
  };
  const count = (verdict: Verdict): Verdict => {
    if (verdict.accepted) counts.accepted++;
    else if (verdict.refusal.status === 503) counts.unavailable++;
    else counts.refused++;
    return verdict;
  };
  const verify = async (authorization: string | undefined, needs: ReadNeeds): Promise<Verdict> => {
    const token = bearerToken(authorization);
    const judged = token === undefined ? 'token_missing' : await verdicts.of(token, needs.whenStale ?? whenStale);
    return count(verdictOf(judged, needs));
  };
  const stateOf = (): GuardState => ({ mode, ...verdicts.knowledge, ...counts, problem: reporter.problem });
  const judges = { verify, lacking: lackingIn };

  return {
    check: (token) => count(verdictOf(typeof token === 'string' ? verdicts.now(token) : 'token_malformed', noNeeds)),
    verify: (authorization, needs) => verify(authorization, readNeeds(mode, needs)),
    express: (needs) => express(judges, readNeeds(mode, needs)),
    needs: (needs) => express(judges, readNeeds(mode, needs)),
    fastify: fastify(judges, noNeeds),
    fastifyNeeds: (needs) => fastifyHook(judges, readNeeds(mode, needs)),
    hono: (needs) => hono(judges, readNeeds(mode, needs)),
    node: (handler, needs) => nodeHandler(judges, readNeeds(mode, needs), handler),
    fetch: (handler, needs) => fetchHandler(judges, readNeeds(mode, needs), handler),
    protectedResource: (details = {}) => {
      if (resource === undefined)
        throw new TypeError('Cannot make the metadata of the API: give its URL to the guard as resource');
      return protectedResource(resource, issuer, details);
    },
    get state() {
      return stateOf();
    },
    metrics: () => metricsOf(stateOf()),
    stop: () => verdicts.stop(),
  };
};
