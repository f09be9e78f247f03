/**
 * Fastify, without importing it.
 * @module
 */
import type { Auth, ReadNeeds } from '../auth.ts';
import { type Judges, judge } from './judges.ts';

interface Request {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  auth?: Auth | null;
}

interface Reply {
  code(status: number): Reply;
  headers(headers: Readonly<Record<string, string>>): Reply;
  send(body: string): unknown;
}

/** A hook of a route, for `onRequest`. */
export type FastifyHook = (request: Request, reply: Reply) => Promise<unknown>;

interface Instance {
  decorateRequest(name: string, value: null): unknown;
  addHook(name: 'onRequest', hook: FastifyHook): unknown;
}

/** A plugin. */
export type FastifyPlugin = (instance: Instance, options: unknown, done: (error?: Error) => void) => void;

/** Lets accepted requests through. */
export const fastifyHook =
  (judges: Judges, needs: ReadNeeds): FastifyHook =>
  async (request, reply) => {
    const { authorization } = request.headers;
    const given = typeof authorization === 'string' ? authorization : undefined;
    const verdict = await judge(judges, request, given, needs);
    if (verdict.accepted) {
      request.auth = verdict.auth;
      return undefined;
    }
    const { status, headers, body } = verdict.refusal;
    return reply.code(status).headers(headers).send(body);
  };

/** Guards every route of the instance that registers it, not only those of the plugin. */
export const fastify = (judges: Judges, needs: ReadNeeds): FastifyPlugin => {
  const hook = fastifyHook(judges, needs);
  const plugin: FastifyPlugin = (instance, _options, done) => {
    instance.decorateRequest('auth', null);
    instance.addHook('onRequest', hook);
    done();
  };
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@catalytic/guard',
  });
};
