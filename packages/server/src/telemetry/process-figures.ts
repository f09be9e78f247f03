/**
 * Figures of this process that take more than one call to get.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Between two looks at the event loop, milliseconds: finer would wake a process that has nothing to do. */
const lookEveryMs = 20;

/** How much later than due the event loop comes round. */
export class EventLoopLag {
  readonly #delays = monitorEventLoopDelay({ resolution: lookEveryMs });

  constructor() {
    this.#delays.enable();
  }

  /** Lags since the last call, milliseconds. */
  take(): Readonly<Record<'p50' | 'p99' | 'max', number>> {
    // What is recorded is the time between two looks.
    const lagMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - lookEveryMs);
    const lags = {
      p50: lagMs(this.#delays.percentile(50)),
      p99: lagMs(this.#delays.percentile(99)),
      max: lagMs(this.#delays.max),
    };
    this.#delays.reset();
    return lags;
  }
}

/** Number of open file descriptors; `undefined` where the system does not tell. */
export const countOpenFiles = async (): Promise<number | undefined> => {
  try {
    // One of them is the folder that is being read.
    return (await readdir('/proc/self/fd')).length - 1;
  } catch {
    return undefined;
  }
};
