/**
 * Routes for whoever watches the process.
 * @module
 */
import type { Currency } from '@catalytic/guard/verdict';
import { CatalyticError } from '@catalytic/protocol/errors';
import { paths } from '@catalytic/protocol/paths';
import { Type } from 'typebox';
import { type Route, route } from '../route.ts';

const Alive = Type.Object({ status: Type.Literal('alive') });
const Ready = Type.Object({ status: Type.Literal('ready') });

/** What readiness asks. */
export interface HealthParts {
  /** Writes nothing, but goes the way every write goes. Rejects when the database does not answer. */
  readonly probeStore: () => Promise<void>;
  /** Whether this process may trust its view of the revocations. */
  readonly currency: Currency;
}

/** The routes. Live: the event loop turns. Ready: a request would be served. */
export const healthRoutes = ({ probeStore, currency }: HealthParts): readonly Route[] => [
  route({
    method: 'GET',
    path: paths.live,
    summary: 'The process runs',
    access: { kind: 'public' },
    listener: 'both',
    answers: { 200: Alive },
    handle: () => ({ status: 200, body: { status: 'alive' } }),
  }),
  route({
    method: 'GET',
    path: paths.ready,
    summary: 'The process would serve a request now',
    access: { kind: 'public' },
    listener: 'both',
    answers: { 200: Ready },
    handle: async () => {
      await probeStore().catch((error: unknown) => {
        throw new CatalyticError('store_unavailable', { cause: error, retryAfterSeconds: 1 });
      });
      if (!currency.isCurrent()) throw new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 });
      return { status: 200, body: { status: 'ready' } };
    },
  }),
];
