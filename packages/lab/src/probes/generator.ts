/**
 * Is the generator itself healthy? Second by second.
 * @module
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** A stretch of the generator's life. */
export interface GeneratorHealth {
  /** CPU time over wall time, per cent of one core. */
  readonly cpuPercent: number;
  /** 99th percentile of how late the event loop was, milliseconds. */
  readonly loopDelayP99Ms: number;
  /** Share of the time in which the event loop was busy, per cent. */
  readonly loopBusyPercent: number;
}

/** One second of the generator. */
export interface GeneratorSecond extends GeneratorHealth {
  readonly rssMb: number;
}

/** CPU time of this process since it started, seconds. */
export const ownCpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/**
 * The event loop is sampled every so often, milliseconds; the sampling interval is part of the
 * recorded value.
 */
const resolutionMs = 10;

/** Measures from its last `turn` on. */
class Stopwatch {
  readonly #delay = monitorEventLoopDelay({ resolution: resolutionMs });
  #cpu = process.cpuUsage();
  #busy = performance.eventLoopUtilization();
  #atMs = performance.now();

  constructor() {
    this.#delay.enable();
  }

  turn(): GeneratorHealth {
    const nowMs = performance.now();
    const used = process.cpuUsage(this.#cpu);
    const busy = performance.eventLoopUtilization();
    const health = {
      cpuPercent: ((used.user + used.system) / 1000 / Math.max(1, nowMs - this.#atMs)) * 100,
      loopDelayP99Ms: this.#delay.count === 0 ? 0 : Math.max(0, this.#delay.percentile(99) / 1e6 - resolutionMs),
      loopBusyPercent: performance.eventLoopUtilization(busy, this.#busy).utilization * 100,
    };
    this.#cpu = process.cpuUsage();
    this.#busy = busy;
    this.#atMs = nowMs;
    this.#delay.reset();
    return health;
  }

  stop(): void {
    this.#delay.disable();
  }
}

/** Watches this process: second by second, and over the window that is judged. */
export class GeneratorProbe {
  readonly #second = new Stopwatch();
  readonly #window = new Stopwatch();

  /** Reads and starts the next second. */
  turnSecond(): GeneratorSecond {
    return { ...this.#second.turn(), rssMb: process.memoryUsage.rss() / 2 ** 20 };
  }

  /** Reads the window and starts it anew. */
  turnWindow(): GeneratorHealth {
    return this.#window.turn();
  }

  stop(): void {
    this.#second.stop();
    this.#window.stop();
  }
}
