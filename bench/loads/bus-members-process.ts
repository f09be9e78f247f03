/**
 * The processes of the bench `bus-members`: each is some members on one Redis, with the real bus, barrier and view.
 * @module
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClocks } from '@catalytic/guard/clocks';
import { View } from '@catalytic/guard/view';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { RedisBus } from '../../packages/server/src/bus/redis-bus.ts';
import { redisPlace } from '../../packages/server/src/bus/redis-place.ts';
import { readConfig } from '../../packages/server/src/config/read-config.ts';
import { Barrier } from '../../packages/server/src/features/revocation/barrier.ts';
import { serveTasks } from '../harness/child.ts';
import { say } from '../harness/result.ts';
import { openLoop } from './open-loop.ts';

/** The barrier reads rows after this time. No member writes any here, so a lost message shows as a revocation that is not complete. */
const answerMs = 5000;
const leaseMs = 30_000;

/** The members of one process. */
export interface Membership {
  readonly redisUrl: string;
  readonly key: string;
  /** Of all processes. */
  readonly members: readonly MemberId[];
  /** Those in this process. */
  readonly mine: readonly MemberId[];
}

/** Revocations of one process. */
export interface Rate {
  readonly perSecond: number;
  readonly seconds: number;
}

/** What became of the revocations of one process. */
export interface Revocations {
  readonly tookMs: readonly number[];
  readonly pending: number;
  readonly cpuMicros: number;
  readonly sent: number;
  readonly heard: number;
}

const entry = (): JournalEntry =>
  ({
    id: randomUUID(),
    kind: 'session',
    key: randomUUID(),
    keepUntilMs: Date.now() + 60_000,
  }) as unknown as JournalEntry;

/** One member: a real bus, view and barrier. */
const memberOf = ({ redisUrl, key, members }: Membership, id: MemberId, count: { sent: number; heard: number }) => {
  const place = redisPlace(readConfig({}, undefined, { REDIS_URL: redisUrl }));
  if (place === undefined) throw new Error('There is no Redis');
  const view = new View();
  const bus = new RedisBus({
    place,
    key: Buffer.from(key, 'base64'),
    observer: {
      up: () => {},
      roundTrip: () => {},
      message: (direction, kind) => {
        if (kind === 'hint' && direction === 'sent') count.sent += 1;
        if (kind === 'hint' && direction === 'heard') count.heard += 1;
      },
    },
    onProblem: (message, error) => say(`${message}: ${error ?? ''}`),
  });
  const barrier = new Barrier({
    reader: { memberIds: [id], hear: (entries) => view.apply(entries), settle: () => {} },
    bus,
    members: {
      list: async () =>
        members.map((member) => ({ id: member, state: 'live', leaseMs, applied: null, kind: 'worker', seen: 0 })),
      markLeaving: async () => {},
      remove: async () => {},
      covers: () => false,
    },
    clocks: systemClocks,
    answerMs,
    onProblem: () => {},
  });
  bus.start();
  return { bus, barrier };
};

let members: readonly ReturnType<typeof memberOf>[] = [];
const count = { sent: 0, heard: 0 };

/** Makes the members; each is connected then. */
const join = async (membership: Membership): Promise<void> => {
  members = membership.mine.map((id) => memberOf(membership, id, count));
  while (!members.every(({ bus }) => bus.isUp)) await delay(10);
};

/** Has the members revoke in turn. */
const revoke = async ({ perSecond, seconds }: Rate): Promise<Revocations> => {
  Object.assign(count, { sent: 0, heard: 0 });
  const before = process.cpuUsage();
  const tookMs: number[] = [];
  let pending = 0;
  const one = async (index: number): Promise<void> => {
    // Somewhere within its slot: else all processes would revoke at the same moments.
    await delay((1000 * Math.random()) / perSecond);
    const sentMs = performance.now();
    const { barrier } = members[index % members.length] as (typeof members)[number];
    const { propagation } = await barrier.settle({ entries: [entry()], position: '1' });
    if (propagation === 'complete') tookMs.push(performance.now() - sentMs);
    else pending += 1;
  };
  await Promise.all(await openLoop(perSecond, Math.round(perSecond * seconds), one));
  const { user, system } = process.cpuUsage(before);
  return { tookMs, pending, cpuMicros: user + system, ...count };
};

/** Disconnects the members. */
const leave = async (_: undefined): Promise<void> => {
  await Promise.all(members.map(({ bus }) => bus.close()));
};

const tasks = { join, revoke, leave };
/** What the process does. */
export type BusMembersTasks = typeof tasks;

if (import.meta.main) serveTasks(tasks);
