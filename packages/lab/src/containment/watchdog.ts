/**
 * Frees this thread when code of a scenario never gives way.
 * @module
 */
import { Worker } from 'node:worker_threads';
import { type Bequest, followWill } from './last-will.ts';

/** Time between two looks, milliseconds. */
export const lookMs = 250;
/**
 * So long code may run without giving way, seconds: no garbage collection takes it, and no task
 * that means to load a target.
 */
export const blockedSecondsMax = 10;

/** Code that the watchdog has ended. */
export interface Blocked {
  /** `file:line` where it was; empty when the code was not the scenario's. */
  readonly place: string;
  /** Whether another process has ended it, which counts it. */
  readonly isElsewhere?: true;
}

/** Memory that both threads share: turns of the main thread, and whether code was ended there. */
export const shared = { ticks: 0, blocked: 1, length: 2 } as const;
const seen = new Int32Array(new SharedArrayBuffer(shared.length * Int32Array.BYTES_PER_ELEMENT));

/**
 * Whether code was ended and its consequences have not been drawn yet: until then no code of the
 * scenario is to be called, which may be in the same loop.
 */
export const isBlocked = (): boolean => Atomics.load(seen, shared.blocked) === 1;

/** From now on code of the scenario may be called again. */
export const unblock = (): void => void Atomics.store(seen, shared.blocked, 0);

const listeners = new Set<(blocked: Blocked) => void>();
let isWatching = false;

/** Hears of code that was ended because it never gave way. Returns how to stop hearing. */
export const whenBlocked = (hear: (blocked: Blocked) => void): (() => void) => {
  listeners.add(hear);
  return () => listeners.delete(hear);
};

/** Informs all listeners, also of code that another process has ended. */
export const announceBlocked = (blocked: Blocked): void => {
  for (const hear of [...listeners]) hear(blocked);
};

/**
 * Watches from now on. Resolves when the other thread has started, so that the start does not count
 * as load.
 */
export const startWatchdog = async (): Promise<void> => {
  if (isWatching) return;
  isWatching = true;
  setInterval(() => Atomics.add(seen, shared.ticks, 1), lookMs).unref();
  const worker = new Worker(new URL('./watchdog-thread.ts', import.meta.url), { workerData: seen, env: {} });
  followWill((will: readonly Bequest[]) => worker.postMessage(will));
  const { promise: started, resolve: start } = Promise.withResolvers<void>();
  worker.once('message', () => {
    worker.on('message', announceBlocked);
    worker.unref();
    start();
  });
  // Without it the lab runs on, as it would without a watchdog.
  worker.on('error', () => start());
  await started;
};
