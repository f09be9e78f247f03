/**
 * What a fault is, and the round that it strikes.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment, DeploymentOptions } from './deployment.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** The round that a fault strikes. */
export interface Scene {
  readonly deployment: Deployment;
  /** The worker that is asked to sign out. A fault may choose others than these three while it sets the stage. */
  revoker: PinnedWorker;
  /** Another one. */
  other: PinnedWorker;
  /** A third, which only keeps the barrier waiting. */
  third: PinnedWorker;
  readonly leaseMs: number;
  /** Number in [0, 1), of the round's seed. */
  readonly random: () => number;
  /** The session that nobody signs out. */
  readonly controlSessionId: string;
  /** Sends the same sign-out again, to the third worker unless another one is given; counted like the first. */
  readonly repeat: (to?: PinnedWorker) => Promise<void>;
  /** From now on this worker, too, is asked about both tokens. */
  readonly watch: (worker: PinnedWorker) => void;
  /** Sends a worker one more question about the token that is signed out: it owes the watcher answers while it is frozen, and is asked no more. */
  readonly ask: (worker: PinnedWorker) => void;
  /** Whether a worker accepts the token that nobody signs out. */
  readonly accepts: (worker: PinnedWorker) => Promise<boolean>;
  /** Says that something ought to be so, and counts it when it is not. */
  readonly expect: (isSo: boolean, what: string) => void;
}

/** Takes a fault away. */
export type Undo = () => Promise<void>;

/** Strikes, and returns what takes the fault away. It waits for no answer of Redis, which may be stopped at that moment. */
export type Strike = () => Promise<Undo>;

/** A fault. */
export interface Fault {
  /** The deployment that it needs. */
  readonly setting: keyof typeof settings;
  /** Whether the other worker is on another machine than the revoking one. */
  readonly isAcross?: boolean;
  /** Moments at which it makes sense; all unless given. */
  readonly moments?: readonly string[];
  /** What the sign-out may be answered; anything unless given. */
  readonly answers?: readonly number[];
  /** Codes with which a token that nobody has signed out may be refused. */
  readonly mayRefuse?: readonly string[];
  /** Longest time from its end until every worker serves again, milliseconds; as long as it takes unless given. */
  readonly readyMsMax?: number;
  /** What the log must say of it. */
  readonly says?: RegExp;
  /** The assumption of the promise that does not hold then (docs/operating/revocation.md). */
  readonly breaks?: 'A1' | 'A4';
  /** Workers that must go on serving as if nothing had happened; none unless given. */
  readonly bystanders?: (scene: Scene) => readonly PinnedWorker[];
  /** Sets the stage before anybody signs out, and returns what strikes. */
  readonly prepare: (scene: Scene) => Promise<Strike>;
}

/** The deployments that faults need. */
export const settings = {
  'three workers': { machines: [3], redis: false },
  'two machines': { machines: [2, 1], redis: true },
  'two networks': { machines: [2, 1], redis: true, inNamespaces: true },
  'two machines with clocks of their own': { machines: [2, 1], redis: true, ownClocks: true },
  'two machines that are suspended': { machines: [2, 1], redis: true, ownClocks: true, hidesPauses: 'monotonic' },
  'two machines under a hypervisor': { machines: [2, 1], redis: true, ownClocks: true, hidesPauses: 'both' },
  'a database with a clock of its own': { machines: [3], redis: false, databaseClock: true },
  'a database with a standby': { machines: [3], redis: false, withStandby: true },
  'a file of settings': { machines: [3], redis: false, inFile: true },
  'a file of settings, a lease of 3 s': { machines: [3], redis: false, inFile: true, leaseMs: 3000 },
} as const satisfies Readonly<Record<string, Omit<DeploymentOptions, 'leaseMs' | 'answerMs'> & { leaseMs?: number }>>;

/** A fault for which no stage is set. */
export const unprepared =
  (strike: (scene: Scene) => Promise<Undo>): Fault['prepare'] =>
  async (scene) =>
  () =>
    strike(scene);

/** Nothing to take away. */
export const nothing: Undo = async () => {};

/** How long a pause lasts: past the lease, so that the paused process lives through its end. */
export const pastLease = ({ leaseMs, random }: Scene): number => leaseMs * (1.1 + 0.5 * random());

/** Takes away what was done, so many milliseconds after now. */
export const undoAfter = (ms: number, undo: () => Promise<void> | void): Undo => {
  const over = delay(ms);
  return async () => {
    await over;
    await undo();
  };
};

/** Everybody. */
export const everybody = ({ revoker, other, third }: Scene): readonly PinnedWorker[] => [revoker, other, third];

/** All ways of all machines are as they were at first. */
export const healAll = ({ machines }: Deployment): void => {
  for (const machine of machines) machine.heal();
};
