/**
 * Faults of guards, of the way between them and the service, and of the worker that answers their polls.
 * @module
 */

import { signal } from '@catalytic/lab/process-tree';
import { bothDirections, type Direction } from '@catalytic/lab/proxy';
import { followerLeaseMs } from '../../packages/server/src/features/guards/rules.ts';
import { waitUntil } from '../harness/wait-until.ts';
import { type Habit, startBalancer } from './balancer.ts';
import { type Fault, nothing, type Scene, type Undo, undoAfter, unprepared } from './fault.ts';
import type { PinnedGuard } from './pinned-guard.ts';

/** A guard that has not acknowledged for so long is marked, milliseconds. */
const silentMs = 2000;
/** Until a mark that was due has been noticed and a removal written, milliseconds. */
const noticeMs = 500;
/** Longest time until a guard asks anew after its connection was reset, milliseconds. */
const askedMsMax = 5000;

/** The strict guard that the faults strike. @throws Error when the deployment has none */
const victim = ({ deployment }: Scene): PinnedGuard => {
  const found = deployment.guards.find(({ mode }) => mode === 'strict');
  if (found === undefined) throw new Error('This deployment has no strict guard');
  return found;
};

const pastItsLease = ({ leaseMs, random }: Scene): number => followerLeaseMs(leaseMs) * (1.1 + 0.3 * random());
const untilRemoved = ({ leaseMs }: Scene): number => silentMs + 1.2 * followerLeaseMs(leaseMs) + noticeMs;

const pause = (howLong: (scene: Scene) => number): Fault['prepare'] =>
  unprepared(async (scene) => {
    const { pid } = victim(scene);
    signal(pid, 'SIGSTOP');
    return undoAfter(howLong(scene), () => void signal(pid, 'SIGCONT'));
  });

/** @param by `undefined`: its guard leaves */
const replace = (by: NodeJS.Signals | undefined): Fault['prepare'] =>
  unprepared(async (scene) => {
    const guard = victim(scene);
    await guard.end(by);
    return () => guard.restart();
  });

const cut = (directions: readonly Direction[], howLong = pastItsLease): Fault['prepare'] =>
  unprepared(async (scene) => {
    for (const { way } of scene.deployment.guards) way.cut(directions);
    return undoAfter(howLong(scene), () => healWays(scene));
  });

const healWays = ({ deployment }: Scene): void => {
  for (const { way } of deployment.guards) way.heal();
};

/** Marks the rows of all guards as leaving, as a worker would that wrongly believes them silent. */
const markAlive: Fault['prepare'] = unprepared(async ({ deployment }) => {
  await deployment.query(`update member set state = 'leaving' where kind = 'guard'`);
  return nothing;
});

/** Leads all guards over a balancer, from before the sign-out on. */
const overBalancer = (
  habit: Habit,
  strike: (scene: Scene, lastWorkerPid: number | undefined) => Promise<Undo> = async (scene) =>
    undoAfter(pastItsLease(scene), () => {}),
): Fault['prepare'] => {
  return async (scene) => {
    const balancer = await startBalancer(scene.deployment.servicePort);
    const target = { host: '127.0.0.1', port: balancer.port };
    for (const { way } of scene.deployment.guards) way.redirect(target);
    await waitUntil('the guards', 'ask over the balancer', askedMsMax, () => balancer.lastWorkerPid !== undefined);
    for (const guard of scene.deployment.guards) await guard.current();
    return async () => {
      balancer.habit = habit;
      const undo = await strike(scene, balancer.lastWorkerPid);
      return async () => {
        await undo();
        healWays(scene);
        await balancer[Symbol.asyncDispose]();
      };
    };
  };
};

/** The worker that answered the last poll. */
const strikeAnswering = (name: 'SIGKILL' | 'SIGSTOP'): Fault['prepare'] =>
  overBalancer('passes', async (scene, pid) => {
    scene.expect(pid !== undefined, 'no poll was answered before the fault');
    if (pid === undefined) return nothing;
    if (name === 'SIGKILL') scene.deployment.expectedDeaths += 1;
    signal(pid, name);
    return name === 'SIGKILL' ? nothing : undoAfter(pastItsLease(scene), () => void signal(pid, 'SIGCONT'));
  });

const strikes: Readonly<Record<string, Fault['prepare']>> = {
  'guard paused past its lease': pause(pastItsLease),
  'guard paused until removed': pause(untilRemoved),
  'guard killed, another starts': replace('SIGKILL'),
  'guard leaves, another joins': replace(undefined),
  'guards cut from the service': cut(bothDirections),
  'guards are not heard': cut(['up']),
  'guards hear nothing': cut(['down']),
  'guards cut off until removed': cut(bothDirections, untilRemoved),
  'live guards marked as leaving': markAlive,
  'worker that answered a poll killed': strikeAnswering('SIGKILL'),
  'worker that answered a poll paused': strikeAnswering('SIGSTOP'),
  'balancer repeats polls': overBalancer('repeats'),
  'balancer keeps answers back': overBalancer('buffers'),
  'balancer cuts polls': overBalancer('cuts'),
};

/** These faults, by name. */
export const guardFaults: Readonly<Record<string, Fault>> = Object.fromEntries(
  Object.entries(strikes).map(([name, prepare]) => [name, { setting: 'three workers and guards', prepare }]),
);
