/**
 * Is the generator itself healthy? Second by second.
 * @module
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** One second of the generator. */
export interface GeneratorSecond {
  /** CPU time over wall time, per cent of one core. */
  readonly cpuPercent: number;
  /** 99th percentile of how late the event loop was, milliseconds. */
  readonly loopDelayP99Ms: number;
  readonly rssMb: number;
}

/** The event loop is sampled every so often, milliseconds; the sampling interval is part of what the histogram records. */
const resolutionMs = 10;

/** Watches this process. */
export class GeneratorProbe {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  #cpu = process.cpuUsage();
  #atMs = performance.now();

  constructor() {
    this.#delay.enable();
  }

  /** Reads and starts the next second. */
  turnSecond(): GeneratorSecond {
    const nowMs = performance.now();
    const used = process.cpuUsage(this.#cpu);
    const cpuPercent = ((used.user + used.system) / 1000 / (nowMs - this.#atMs)) * 100;
    const loopDelayP99Ms = Math.max(0, this.#delay.percentile(99) / 1e6 - resolutionMs);
    this.#cpu = process.cpuUsage();
    this.#atMs = nowMs;
    this.#delay.reset();
    return { cpuPercent, loopDelayP99Ms, rssMb: process.memoryUsage.rss() / 2 ** 20 };
  }

  stop(): void {
    this.#delay.disable();
  }
}
