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
  /** The worker that is asked to sign out. */
  readonly revoker: PinnedWorker;
  /** Another one. */
  readonly other: PinnedWorker;
  /** A third, which only keeps the barrier waiting. */
  readonly third: PinnedWorker;
  readonly leaseMs: number;
  /** Number in [0, 1), of the round's seed. */
  readonly random: () => number;
  /** The session that nobody signs out. */
  readonly controlSessionId: string;
  /** Sends the same sign-out again, on another connection; counted like the first. */
  readonly repeat: () => Promise<void>;
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
} as const satisfies Readonly<Record<string, Pick<DeploymentOptions, 'machines' | 'redis' | 'inNamespaces'>>>;

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
