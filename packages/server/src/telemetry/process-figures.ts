/**
 * Figures of this process that take more than one call to read.
 * @module
 */
import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Time between two samples of the event loop, milliseconds: a shorter one would wake an idle
 * process too often.
 */
const lookEveryMs = 20;

/** The lag of the event loop: how much later than due it runs a timer. */
export class EventLoopLag {
  readonly #delays = monitorEventLoopDelay({ resolution: lookEveryMs });

  constructor() {
    this.#delays.enable();
  }

  /** Lags since the last call, milliseconds. */
  take(): Readonly<Record<'p50' | 'p99' | 'max', number>> {
    // The histogram records the time between two samples.
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

/** Number of open file descriptors; `undefined` where there is no `/proc`. */
export const countOpenFiles = async (): Promise<number | undefined> => {
  try {
    // One of them is the folder that is being read.
    return (await readdir('/proc/self/fd')).length - 1;
  } catch {
    return undefined;
  }
};
