/**
 * Guards in a simulation: processes of other people that run the real follower, and ask whichever process of the deployment a balancer
 * chooses for each request.
 * @module
 */
import { randomBytes, randomUUIDv7 } from 'node:crypto';
import { Follower } from '@catalytic/guard/follower';
import type { Reply } from '@catalytic/guard/revocations-client';
import { View } from '@catalytic/guard/view';
import { type CatalyticError, errorTable } from '@catalytic/protocol/errors';
import type { Poll } from '@catalytic/protocol/guards';
import type { MemberId } from '@catalytic/protocol/ids';
import type { KnownGuardKey } from '../../packages/server/src/features/guard-keys/store.ts';
import type { Polls } from '../../packages/server/src/features/guards/polls.ts';
import { MessageSeal } from '../../packages/server/src/features/secrets/message-seal.ts';
import type { SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedProcess, SimulatedTime } from './simulated-time.ts';

/** The only guard key, as the processes of the service know it. */
const guardKey: KnownGuardKey = {
  id: 'key',
  tenantId: null,
  guardsMax: 100,
  expiresAtMs: null,
  lastUsedAtMs: null,
} as KnownGuardKey;

/** What all processes of a deployment seal cursors with. */
export const cursorSeal = new MessageSeal(randomBytes(32));

/** A process of the service that guards may ask. */
export interface Asked {
  readonly process: SimulatedProcess;
  readonly polls: Polls;
}

/** What lies between a guard and the service. */
export interface GuardRoad {
  readonly time: SimulatedTime;
  readonly network: SimulatedNetwork;
  /** The processes that serve at this moment. */
  readonly servers: () => readonly Asked[];
  /** Share of requests that a proxy sends twice, to two processes. */
  readonly repeated: number;
  /** Lease in the row of a guard, milliseconds. */
  readonly leaseMs: number;
}

const replyOf = (status: number, value: unknown): Reply => ({
  status,
  value,
  code: (value as { readonly code?: string }).code,
  etag: undefined,
  retryAfterMs: undefined,
});

/** Sends a request to some process of the service; a request that is given up may still be served. */
const send = (
  { time, network, servers, repeated }: GuardRoad,
  guard: SimulatedProcess,
  deadlineMs: number,
  serve: (asked: Asked) => Promise<Reply>,
): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const cancel = guard.clocks.after(deadlineMs, () => reject(new Error('The service does not answer in time')));
    const once = (): void => {
      if (network.cut.has(guard)) return;
      time.after(network.delayMs(), () => {
        const all = servers();
        const asked = all[Math.floor(time.random() * all.length)];
        asked?.process.deliver(0, () => {
          serve(asked).then(
            (reply) =>
              guard.deliver(network.delayMs(), () => {
                cancel();
                resolve(reply);
              }),
            () => {},
          );
        });
      });
    };
    once();
    if (time.random() < repeated) once();
  });

/** Makes a strict guard and starts it. */
export const startGuard = (road: GuardRoad, guard: SimulatedProcess, name: string): Follower => {
  const { time, network, leaseMs } = road;
  const { database } = network;
  const clients = {
    poll: (poll: Poll, deadlineMs: number) =>
      send(road, guard, deadlineMs, ({ polls }) =>
        polls.ask({ poll, key: guardKey, onClosed: () => {} }).then(
          (text) => replyOf(200, JSON.parse(text)),
          ({ code }: CatalyticError) => replyOf(errorTable[code].status, { code }),
        ),
      ),
    abortPoll: () => {},
    register: () =>
      send(road, guard, 1000, async ({ process }) => {
        const id = randomUUIDv7() as MemberId;
        await network.ask(process, () => database.register(id, leaseMs, 'guard'));
        time.note(`${name} is registered as ${id}`);
        return replyOf(201, { guard: id, lease_ms: leaseMs });
      }),
    leave: (id: string) =>
      send(road, guard, 1000, async ({ process }) => {
        time.note(`${name} leaves as ${id}`);
        await network.ask(process, () => database.remove([id as MemberId]));
        return replyOf(200, { left: true });
      }),
    close: () => {},
  };
  const follower = new Follower({
    client: clients,
    keys: { isLoaded: true, follow: async () => {} },
    clocks: guard.clocks,
    isStrict: true,
    followsIfRefused: false,
    audience: 'audience',
    name,
    newView: () => new View(),
    processId: () => 1,
    random: time.random,
    onEntries: () => {},
    onFailure: (reason) => time.note(`${name}: ${reason}`),
    onRenewed: () => {},
    onStale: () => {},
  });
  follower.start();
  return follower;
};
