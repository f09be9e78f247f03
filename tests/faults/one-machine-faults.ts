/**
 * Faults of the workers of one machine and of their database.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signal } from '@catalytic/lab/process-tree';
import { bothDirections } from '@catalytic/lab/proxy';
import type { Client } from 'pg';
import { type Fault, healAll, nothing, pastLease, type Scene, type Undo, undoAfter, unprepared } from './fault.ts';

type Act = (scene: Scene) => Promise<Undo>;

/** Runs SQL in a session that stays open until the fault is undone. */
const session = async ({ deployment }: Scene, ...statements: readonly string[]): Promise<Client> => {
  const client = await deployment.connect();
  for (const statement of statements) await client.query(statement);
  return client;
};

const kill: Act = async ({ deployment }) => {
  await deployment.postgres.kill();
  return () => deployment.postgres.start();
};

const pause: Act = async (scene) => {
  scene.deployment.postgres.pause();
  return undoAfter(pastLease(scene), () => scene.deployment.postgres.resume());
};

const slow: Act = async ({ deployment, random }) => {
  const delayMs = 50 + 250 * random();
  for (const machine of deployment.machines) machine.way('database').delay(delayMs);
  return undoAfter(800, () => healAll(deployment));
};

const deafDatabase: Act = async (scene) => {
  for (const machine of scene.deployment.machines) machine.cut(['database'], 'hears');
  return undoAfter(pastLease(scene), () => healAll(scene.deployment));
};

/** After a crash PostgreSQL reuses the ids of transactions that left nothing durable. */
const crashWithReusedIds: Act = async ({ deployment }) => {
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

const longTransaction: Act = async (scene) => {
  const client = await session(scene, 'begin', 'select pg_current_xact_id()');
  const over = delay(openMs);
  return async () => {
    await over;
    await client.query('commit').catch(() => {});
    await client.end();
  };
};

const preparedTransaction: Act = async (scene) => {
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
  (who: 'revoker' | 'other', howLong: (scene: Scene) => number): Act =>
  async (scene) => {
    const { pid } = scene[who];
    signal(pid, 'SIGSTOP');
    return undoAfter(howLong(scene), () => void signal(pid, 'SIGCONT'));
  };

const killWorker =
  (who: 'revoker' | 'other'): Act =>
  async (scene) => {
    scene.deployment.expectedDeaths += 1;
    signal(scene[who].pid, 'SIGKILL');
    return nothing;
  };

const reload: Act = async ({ deployment, revoker }) => {
  const machine = deployment.machineOf(revoker);
  const reloaded = (): number => machine.output().split('Reloaded a worker').length - 1;
  const all = reloaded() + machine.workers;
  signal(machine.supervisor, 'SIGHUP');
  return async () => {
    for (const until = performance.now() + 30_000; reloaded() < all && performance.now() < until; ) await delay(50);
  };
};

/** Marks every member as leaving, as a member would that wrongly believes it silent. */
const markAlive: Act = async ({ deployment }) => {
  await deployment.query(`update member set state = 'leaving'`);
  return nothing;
};

const cutWorker: Act = async (scene) => {
  const { deployment, other } = scene;
  deployment.machineOf(other).way('database').cut(bothDirections, [other.pid]);
  return undoAfter(pastLease(scene), () => healAll(deployment));
};

const withoutHints: Act = async ({ deployment }) => {
  const supervisors = deployment.machines.map(({ supervisor }) => supervisor);
  for (const pid of supervisors) signal(pid, 'SIGSTOP');
  return async () => {
    await delay(300);
    for (const pid of supervisors) signal(pid, 'SIGCONT');
  };
};

const repeated: Act = async (scene) => {
  const { pid } = scene.other;
  signal(pid, 'SIGSTOP');
  await scene.repeat();
  return async () => {
    await delay(100);
    signal(pid, 'SIGCONT');
  };
};

const strikes: Readonly<Record<string, Act>> = {
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

/** These faults, by name. */
export const oneMachineFaults: Readonly<Record<string, Fault>> = Object.fromEntries(
  Object.entries(strikes).map(([name, strike]) => [name, { setting: 'three workers', prepare: unprepared(strike) }]),
);
