/**
 * What is done to a deployment while somebody signs out, and how it is taken away again.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import { signal } from '../../packages/lab/src/faults/process-tree.ts';
import type { Deployment } from './deployment.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** The round that a fault strikes. */
export interface Scene {
  readonly deployment: Deployment;
  /** The worker that is asked to sign out. */
  readonly revoker: PinnedWorker;
  /** Another one. */
  readonly other: PinnedWorker;
  readonly leaseMs: number;
  /** Number in [0, 1), of the round's seed. */
  readonly random: () => number;
  /** Sends the same sign-out again, on another connection; counted like the first. */
  readonly repeat: () => Promise<void>;
}

/** Takes a fault away. */
export type Undo = () => Promise<void>;

/** A fault: strikes, and returns what takes it away. */
export type Fault = (scene: Scene) => Promise<Undo>;

const nothing: Undo = async () => {};

/** How long a pause lasts: past the lease, so that the paused process lives through its end. */
const pastLease = ({ leaseMs, random }: Scene): number => leaseMs * (1.1 + 0.5 * random());

/** Runs SQL in a session that stays open until the fault is taken away. */
const session = async ({ deployment }: Scene, ...statements: readonly string[]): Promise<Client> => {
  const client = await deployment.connect();
  for (const statement of statements) await client.query(statement);
  return client;
};

const kill: Fault = async ({ deployment }) => {
  await deployment.postgres.kill();
  return () => deployment.postgres.start();
};

const pause: Fault = async (scene) => {
  scene.deployment.postgres.pause();
  const over = delay(pastLease(scene));
  return async () => {
    await over;
    scene.deployment.postgres.resume();
  };
};

const slow: Fault = async ({ deployment, random }) => {
  deployment.proxy.set({ delayMs: 50 + 250 * random() });
  const over = delay(800);
  return async () => {
    await over;
    deployment.proxy.set({});
  };
};

const deafDatabase: Fault = async (scene) => {
  scene.deployment.proxy.set({ cutPid: 'all', isOneWay: true });
  const over = delay(pastLease(scene));
  return async () => {
    await over;
    scene.deployment.proxy.set({});
  };
};

/** Transaction ids that were given to transactions which left nothing durable are given again after a crash. */
const crashWithReusedIds: Fault = async ({ deployment }) => {
  const client = await deployment.connect();
  for (let count = 0; count < 5; count++) {
    await client.query('begin');
    await client.query('select pg_current_xact_id()');
    await client.query('rollback');
  }
  await client.end();
  await deployment.postgres.crashBackgroundProcess();
  return nothing;
};

/** How long a transaction stays open, milliseconds. */
const openMs = 400;

const longTransaction: Fault = async (scene) => {
  const client = await session(scene, 'begin', 'select pg_current_xact_id()');
  const over = delay(openMs);
  return async () => {
    await over;
    await client.query('commit').catch(() => {});
    await client.end();
  };
};

const preparedTransaction: Fault = async (scene) => {
  const name = `fault-${Date.now()}`;
  const client = await session(
    scene,
    'begin',
    "insert into audit (at, event) values (0, 'test')",
    `prepare transaction '${name}'`,
  );
  const over = delay(openMs);
  return async () => {
    await over;
    await client.query(`rollback prepared '${name}'`);
    await client.end();
  };
};

const freeze =
  (who: 'revoker' | 'other', howLong: (scene: Scene) => number): Fault =>
  async (scene) => {
    const { pid } = scene[who];
    signal(pid, 'SIGSTOP');
    const over = delay(howLong(scene));
    return async () => {
      await over;
      signal(pid, 'SIGCONT');
    };
  };

const killWorker =
  (who: 'revoker' | 'other'): Fault =>
  async (scene) => {
    scene.deployment.expectedDeaths += 1;
    signal(scene[who].pid, 'SIGKILL');
    return nothing;
  };

const reload: Fault = async ({ deployment }) => {
  const reloaded = (): number => deployment.service.output().split('Reloaded a worker').length - 1;
  const all = reloaded() + deployment.options.workers;
  deployment.service.process.kill('SIGHUP');
  return async () => {
    for (const until = performance.now() + 30_000; reloaded() < all && performance.now() < until; ) await delay(50);
  };
};

/** Marked by somebody who believes it silent, while it is not. */
const markAlive: Fault = async ({ deployment }) => {
  await deployment.query(`update member set state = 'leaving'`);
  return nothing;
};

const cutWorker: Fault = async (scene) => {
  scene.deployment.proxy.set({ cutPid: scene.other.pid });
  const over = delay(pastLease(scene));
  return async () => {
    await over;
    scene.deployment.proxy.set({});
  };
};

const withoutHints: Fault = async ({ deployment }) => {
  const pid = deployment.service.process.pid ?? 0;
  signal(pid, 'SIGSTOP');
  return async () => {
    await delay(300);
    signal(pid, 'SIGCONT');
  };
};

const repeated: Fault = async (scene) => {
  const { pid } = scene.other;
  signal(pid, 'SIGSTOP');
  await scene.repeat();
  return async () => {
    await delay(100);
    signal(pid, 'SIGCONT');
  };
};

/** Every fault, by name. */
export const faults: Readonly<Record<string, Fault>> = {
  'postgres killed': kill,
  'postgres paused': pause,
  'postgres delayed': slow,
  'postgres answers cut': deafDatabase,
  'postgres crashed, ids reused': crashWithReusedIds,
  'long transaction open': longTransaction,
  'prepared transaction open': preparedTransaction,
  'worker paused past its lease': freeze('other', pastLease),
  'revoking worker paused past its lease': freeze('revoker', pastLease),
  'worker paused until removed': freeze('other', ({ leaseMs }) => 500 + 1.2 * leaseMs + 300),
  'revoking worker killed': killWorker('revoker'),
  'other worker killed, another joins': killWorker('other'),
  'all workers replaced': reload,
  'live workers marked as leaving': markAlive,
  'worker cut from postgres': cutWorker,
  'no hints, no acknowledgements': withoutHints,
  'sign-out repeated while the first waits': repeated,
};
