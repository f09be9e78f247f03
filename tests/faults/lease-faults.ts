/**
 * The lease changed while the service runs: the file of settings is edited and the workers are replaced one by one, so that for a while
 * workers with a short and a long lease serve side by side. One with the long lease is frozen while one with the short lease signs out.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { signal } from '@catalytic/lab/process-tree';
import type { Fault } from './fault.ts';
import type { Machine } from './machine.ts';
import type { PinnedWorker } from './pinned-worker.ts';

const shortMs = 500;
const longMs = 3000;
/**
 * How long the worker with the long lease is frozen: longer than a worker that knows only the short lease would wait, and
 * shorter than the long lease, so that it wakes with its lease.
 */
const frozenMsMin = 1000;
const frozenMsSpread = 1500;
/** How long the woken worker receives no hint, milliseconds. */
const hintlessMs = 50;
/** Longest time for the replacement of all workers. */
const reloadMsMax = 30_000;

const reloads = (machine: Machine): number => machine.output().split('Reloaded a worker').length - 1;

/** Replaces the workers by workers with another lease. Returns once `count` of them have been replaced. */
const reload = async (machine: Machine, leaseMs: number, count = machine.workers): Promise<void> => {
  const until = reloads(machine) + count;
  machine.configure({ REVOCATION_LEASE_MS: leaseMs });
  signal(machine.supervisor, 'SIGHUP');
  await atLeast(machine, until);
};

const atLeast = async (machine: Machine, count: number): Promise<void> => {
  for (const end = performance.now() + reloadMsMax; reloads(machine) < count; await delay(20))
    if (performance.now() > end) throw new Error(`The workers of machine ${machine.number} are not replaced`);
};

/** Finds a worker that began to serve after the reload began. */
const findNew = async (machine: Machine, old: readonly PinnedWorker[]): Promise<PinnedWorker> => {
  const workers = await machine.pinWorkers();
  const found = workers.find(({ pid }) => old.every((worker) => worker.pid !== pid));
  if (found === undefined) throw new Error('No worker is new');
  await Promise.all(workers.filter((worker) => worker !== found).map((worker) => worker.close()));
  return found;
};

/** Waits for the end of the reload, then gives all workers their former lease by another one. */
const restore = async (machine: Machine, count: number, leaseMs: number): Promise<void> => {
  await atLeast(machine, count);
  await reload(machine, leaseMs);
};

/**
 * One worker has been replaced, two have not. Of the new worker and the old worker that is replaced last, the one with the
 * long lease freezes, and the other signs out.
 */
const change = (fromMs: number, toMs: number): Fault => ({
  setting: fromMs === shortMs ? 'a file of settings' : 'a file of settings, a lease of 3 s',
  answers: [200, 202],
  prepare: async (scene) => {
    const machine = scene.deployment.machineOf(scene.revoker);
    const old = [scene.revoker, scene.other, scene.third].toSorted((a, b) => a.number - b.number);
    const last = reloads(machine) + machine.workers;
    await reload(machine, toMs, 1);
    const first = await findNew(machine, old);
    scene.watch(first);
    const [, next, final] = old as [PinnedWorker, PinnedWorker, PinnedWorker];
    scene.third = next;
    [scene.revoker, scene.other] = toMs === shortMs ? [first, final] : [final, first];
    return async () => {
      signal(scene.other.pid, 'SIGSTOP');
      // No hint waits for the worker when it wakes.
      signal(machine.supervisor, 'SIGSTOP');
      const isOver = delay(frozenMsMin + frozenMsSpread * scene.random());
      return async () => {
        await isOver;
        scene.ask(scene.other);
        signal(scene.other.pid, 'SIGCONT');
        await delay(hintlessMs);
        signal(machine.supervisor, 'SIGCONT');
        await restore(machine, last, fromMs);
      };
    };
  },
});

/** These faults, by name. */
export const leaseFaults: Readonly<Record<string, Fault>> = {
  'lease raised by a reload, worker frozen': change(shortMs, longMs),
  'lease lowered by a reload, worker frozen': change(longMs, shortMs),
};
