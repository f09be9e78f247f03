/**
 * Real guards in one process: how long until they have a lease, and until they refuse a token.
 * @module
 */

import { setTimeout as delay } from 'node:timers/promises';
import { createGuard, type Guard, type GuardOptions } from '@catalytic/guard';
import { serveTasks } from '../harness/child.ts';
import { sharedMs } from '../harness/shared-clock.ts';

const currentMsMax = 120_000;
const refusedMsMax = 60_000;

const guards: Guard[] = [];

const tasks = {
  /** Makes guards. @returns milliseconds until the last of them had a lease */
  start: async ({ count, options }: { readonly count: number; readonly options: GuardOptions }): Promise<number> => {
    const beganMs = performance.now();
    const made = await Promise.all(Array.from({ length: count }, () => createGuard(options)));
    guards.push(...made);
    while (!made.every(({ state }) => state.current)) {
      if (performance.now() - beganMs > currentMsMax) throw new Error(`No lease: ${JSON.stringify(made[0]?.state)}`);
      await delay(5);
    }
    return performance.now() - beganMs;
  },
  /** Whether every guard accepts a token. */
  accept: async (token: string): Promise<boolean> => guards.every((guard) => guard.check(token).accepted),
  /** Looks until each guard refuses a token. @returns when each first did, on the shared clock */
  refused: async (token: string): Promise<readonly number[]> => {
    const at = guards.map(() => Number.NaN);
    for (const endMs = sharedMs() + refusedMsMax; at.some(Number.isNaN) && sharedMs() < endMs; await delay(1))
      for (const [index, guard] of guards.entries())
        if (Number.isNaN(at[index]) && !guard.check(token).accepted) at[index] = sharedMs();
    return at;
  },
  stop: async (): Promise<void> => {
    await Promise.all(guards.splice(0).map((guard) => guard.stop()));
  },
};

/** What this child does. */
export type GuardsTasks = typeof tasks;

serveTasks(tasks);
