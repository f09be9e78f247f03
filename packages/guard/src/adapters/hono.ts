/**
 * Hono, without importing it.
 * @module
 */
import type { Auth, ReadNeeds } from '../auth.ts';
import { responseOf } from './fetch.ts';
import { type Judges, judge } from './judges.ts';

interface Context {
  readonly req: { readonly raw: Request };
  set(name: 'auth', auth: Auth): void;
}

/** Middleware. */
export type HonoMiddleware = (context: Context, next: () => Promise<void>) => Promise<Response | undefined>;

/** Lets accepted requests through. */
export const hono =
  (judges: Judges, needs: ReadNeeds): HonoMiddleware =>
  async (context, next) => {
    const { raw } = context.req;
    const verdict = await judge(judges, raw, raw.headers.get('authorization') ?? undefined, needs);
    if (!verdict.accepted) return responseOf(verdict.refusal);
    context.set('auth', verdict.auth);
    await next();
    return undefined;
  };
