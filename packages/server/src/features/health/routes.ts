/**
 * Routes for monitors and load balancers.
 * @module
 */
import type { Currency } from '@catalytic/guard/verdict';
import { CatalyticError } from '@catalytic/protocol/errors';
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import { paths } from '@catalytic/protocol/paths';
import { type Route, route } from '../route.ts';
import { Type } from '../schema.ts';

const Alive = Type.Object(
  { status: Type.Literal('alive', { description: 'The event loop turns.' }) },
  { title: 'Alive', description: 'The process runs.' },
);
const Degraded = Type.Object({
  part: Type.Literal('redis', { description: 'The part that is away.' }),
  effect: Type.String({ description: 'Its effect.' }),
});
const Ready = Type.Object(
  {
    status: Type.Literal('ready', { description: 'The database answers, and the revocations are current.' }),
    degraded: Type.Optional(
      Type.Array(Degraded, {
        description: 'The parts that are away, and the present effect; absent when none is.',
      }),
    ),
  },
  { title: 'Ready', description: 'The process would serve a request.' },
);

/** Dependencies of the routes. */
export interface HealthParts {
  /**
   * Takes the way of every write, and writes nothing. Rejects when the database does not answer.
   */
  readonly probeStore: () => Promise<void>;
  /** Whether this process may trust its view of the revocations. */
  readonly currency: Currency & {
    currencyAgeMs(): number;
    /** See `JournalReader`. */
    readonly clockAheadMs: number;
  };
  readonly revocationLeaseMs: number;
  /** Whether hints travel between machines; absent where no bus carries them. */
  readonly isBusUp: (() => boolean) | undefined;
  /** Whether this process stops, and nobody has taken its place: balancers are to leave it. */
  readonly isEnding: () => boolean;
}

const withoutRedis = {
  part: 'redis',
  effect: 'a sign-out takes about 0.2 s where there is more than one machine; everything else is as fast as before',
} as const;

/** Says what still works without the database, and for how long. */
const withoutDatabase = ({ currency, revocationLeaseMs }: HealthParts): string => {
  const [ageSeconds, leaseSeconds] = [currency.currencyAgeMs() / 1000, revocationLeaseMs / 1000];
  // On a full disk the journal can still be read, and checks go on.
  const checks =
    ageSeconds < leaseSeconds
      ? `tokens are checked until revocations have not been read for ${leaseSeconds} s (${ageSeconds.toFixed(1)} s now)`
      : 'no token is checked';
  return `The database takes no writes: ${checks}; sign-ins, refreshes and sign-outs are refused until it does`;
};

/**
 * @throws {CatalyticError} `clock_wrong` when the clocks differ so much that no token is accepted
 */
const assertRightTime = (aheadMs: number): void => {
  if (Math.abs(aheadMs) <= clockSkewSeconds * 1000) return;
  const seconds = Math.round(Math.abs(aheadMs) / 1000);
  const detail = `The clock of this machine is ${seconds} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the clock of the database: no token is checked until they agree within ${clockSkewSeconds} s`;
  throw new CatalyticError('clock_wrong', { detail, retryAfterSeconds: 5 });
};

/** The routes. Live: the event loop turns. Ready: a request would be served. */
export const healthRoutes = (parts: HealthParts): readonly Route[] => [
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
    refuses: ['shutting_down', 'store_unavailable', 'clock_wrong', 'revocation_state_unavailable'],
    access: { kind: 'public' },
    listener: 'both',
    answers: { 200: Ready },
    handle: async () => {
      if (parts.isEnding()) throw new CatalyticError('shutting_down', { retryAfterSeconds: 1 });
      await parts.probeStore().catch((cause: unknown) => {
        throw new CatalyticError('store_unavailable', { cause, detail: withoutDatabase(parts), retryAfterSeconds: 1 });
      });
      assertRightTime(parts.currency.clockAheadMs);
      if (!parts.currency.isCurrent())
        throw new CatalyticError('revocation_state_unavailable', { retryAfterSeconds: 1 });
      const isWhole = parts.isBusUp?.() !== false;
      return { status: 200, body: { status: 'ready', ...(isWhole ? {} : { degraded: [withoutRedis] }) } };
    },
  }),
];
