/**
 * The type of a fault, and the round that it strikes.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Deployment, DeploymentOptions } from './deployment.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** A round, as a fault sees it. */
export interface Scene {
  readonly deployment: Deployment;
  /** The worker that signs out. A fault may exchange these three workers while it prepares the round. */
  revoker: PinnedWorker;
  /** Another worker. */
  other: PinnedWorker;
  /** A third worker, which only keeps the barrier waiting. */
  third: PinnedWorker;
  readonly leaseMs: number;
  /** A random number in [0, 1) from the seed of the round. */
  readonly random: () => number;
  /** The session that is never signed out. */
  readonly controlSessionId: string;
  /** Repeats the sign-out, at the third worker unless another one is given; counted like the first. */
  readonly repeat: (to?: PinnedWorker) => Promise<void>;
  /** From now on the watcher asks this worker too about both tokens. */
  readonly watch: (worker: PinnedWorker) => void;
  /** Asks a frozen worker once more about the token that is signed out: the watcher waits for earlier answers and asks no more. */
  readonly ask: (worker: PinnedWorker) => void;
  /** Whether a worker accepts the token that is never signed out. */
  readonly accepts: (worker: PinnedWorker) => Promise<boolean>;
  /** States an expectation, and counts it when it is not met. */
  readonly expect: (isSo: boolean, what: string) => void;
}

/** Undoes a fault. */
export type Undo = () => Promise<void>;

/** Injects the fault, and returns the function that undoes it. It waits for no answer of Redis, which may be stopped at that moment. */
export type Strike = () => Promise<Undo>;

/** A fault. */
export interface Fault {
  /** The deployment that the fault needs. */
  readonly setting: keyof typeof settings;
  /** Whether the other worker is on another machine than the revoking one. */
  readonly isAcross?: boolean;
  /** Moments at which the fault makes sense. @default all */
  readonly moments?: readonly string[];
  /** Statuses with which the sign-out may be answered. @default any */
  readonly answers?: readonly number[];
  /** Codes with which a token that was not signed out may be refused. */
  readonly mayRefuse?: readonly string[];
  /** Longest time from the end of the fault until every worker serves again, milliseconds. @default unlimited */
  readonly readyMsMax?: number;
  /** A line that the log must contain. */
  readonly says?: RegExp;
  /** The assumption of the promise that the fault breaks (docs/operating/revocation.md). */
  readonly breaks?: 'A1' | 'A4';
  /** Workers that must not notice the fault. @default none */
  readonly bystanders?: (scene: Scene) => readonly PinnedWorker[];
  /** Prepares the round before the sign-out, and returns the function that injects the fault. */
  readonly prepare: (scene: Scene) => Promise<Strike>;
}

/** The deployments that faults need. */
export const settings = {
  'three workers': { machines: [3], redis: false },
  'three workers and guards': { machines: [3], redis: false, guards: ['strict', 'strict', 'follow'] },
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

/** A fault that needs no preparation. */
export const unprepared =
  (strike: (scene: Scene) => Promise<Undo>): Fault['prepare'] =>
  async (scene) =>
  () =>
    strike(scene);

/** Nothing to undo. */
export const nothing: Undo = async () => {};

/** Length of a pause, milliseconds: longer than the lease, so that the lease of the paused process ends meanwhile. */
export const pastLease = ({ leaseMs, random }: Scene): number => leaseMs * (1.1 + 0.5 * random());

/** Undoes the fault this many milliseconds from now. */
export const undoAfter = (ms: number, undo: () => Promise<void> | void): Undo => {
  const over = delay(ms);
  return async () => {
    await over;
    await undo();
  };
};

/** All workers. */
export const everybody = ({ revoker, other, third }: Scene): readonly PinnedWorker[] => [revoker, other, third];

/** Heals all ways of all machines. */
export const healAll = ({ machines }: Deployment): void => {
  for (const machine of machines) machine.heal();
};
