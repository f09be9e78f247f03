/**
 * Reads everything that is measured once a second, and remembers it.
 * @module
 */
import type { GeneratorSecond } from '../probes/generator.ts';
import type { TargetProcesses, TargetUsage } from '../probes/target-process.ts';
import type { HistoryRow, SecondResult } from '../results/result.ts';
import { Histogram, percentilesOf } from '../statistics/histogram.ts';
import type { Second } from './recorder.ts';

/**
 * Seconds that the percentiles of a history row cover: a cumulative percentile would hide every
 * late spike.
 */
const historyWindowSeconds = 10;

/** Shorter stretches tell no share of a CPU, milliseconds: it is counted in steps of 10 ms. */
const cpuStretchMsMin = 100;

/** When a run started. */
export interface RunStart {
  /** On the monotonic clock. */
  readonly atMs: number;
  /**
   * The wall clock at that moment, milliseconds. Later times are counted from here, because the
   * clock may be set meanwhile.
   */
  readonly unixMs: number;
}

/** Unix seconds of a moment of the monotonic clock. */
export const unixSecondsAt = ({ atMs, unixMs }: RunStart, momentMs: number): number =>
  Math.floor((unixMs + momentMs - atMs) / 1000);

/** One second of the generator, whether it is one process or several. */
export interface LoadSecond {
  /** Users there are now. */
  readonly users: number;
  readonly requests: Second;
  readonly generator: GeneratorSecond;
}

/** Some seconds of a run in a row. */
export interface Stretch {
  readonly seconds: readonly SecondResult[];
  readonly latency: Histogram;
}

/** Samples a run. */
export class Sampler {
  readonly seconds: SecondResult[] = [];
  readonly history: HistoryRow[] = [];
  readonly #target: TargetProcesses | undefined;
  readonly #start: RunStart;
  readonly #recent: Histogram[] = [];
  readonly #total = new Histogram();
  #bytes = 0;
  #failures = 0;
  #lastUsage: TargetUsage | undefined;
  #lastMs = performance.now();

  constructor(target: TargetProcesses | undefined, start: RunStart) {
    this.#target = target;
    this.#start = start;
    this.#lastUsage = target?.read();
  }

  /**
   * Takes a second that has ended.
   * @param isAfterEnd whether it is the time after the last second, in which the run waited for the
   *   last answers
   */
  take(
    { users, requests: { requests, ok, expected, real, bytes, latency }, generator }: LoadSecond,
    isAfterEnd = false,
  ): SecondResult {
    const nowMs = performance.now();
    const usage = this.#target?.read();
    const second: SecondResult = {
      t_s: this.seconds.length + 1,
      unix_s: unixSecondsAt(this.#start, nowMs),
      users,
      requests,
      ok,
      expected,
      real,
      p50_ms: latency.at(50) ?? null,
      p95_ms: latency.at(95) ?? null,
      p99_ms: latency.at(99) ?? null,
      generator_cpu_percent: generator.cpuPercent,
      loop_delay_p99_ms: generator.loopDelayP99Ms,
      loop_busy_percent: generator.loopBusyPercent,
      generator_rss_mb: generator.rssMb,
      target_cpu_percent: this.#cpuPercent(usage, nowMs),
      target_rss_mb: usage?.rssMb ?? null,
      ...(isAfterEnd ? { is_after_end: true } : {}),
    };
    this.seconds.push(second);
    this.#total.add(latency);
    this.#bytes += bytes;
    this.#failures += real;
    this.#recent.push(latency);
    if (this.#recent.length > historyWindowSeconds) this.#recent.shift();
    this.history.push(this.#historyRow(second));
    return second;
  }

  /** The last seconds, and the latencies of all of them. @param seconds 10 at most */
  last(seconds: number): Stretch {
    const latency = new Histogram();
    for (const each of this.#recent.slice(-seconds)) latency.add(each);
    return { seconds: this.seconds.slice(-seconds), latency };
  }

  #cpuPercent(usage: TargetUsage | undefined, nowMs: number): number | null {
    const stretchMs = nowMs - this.#lastMs;
    const last = this.#lastUsage;
    if (stretchMs < cpuStretchMsMin) return null;
    this.#lastUsage = usage;
    this.#lastMs = nowMs;
    return usage === undefined || last === undefined
      ? null
      : ((usage.cpuSeconds - last.cpuSeconds) / stretchMs) * 100_000;
  }

  #historyRow(second: SecondResult): HistoryRow {
    const { seconds: last, latency: recent } = this.last(historyWindowSeconds);
    const sum = (kind: 'requests' | 'real'): number => last.reduce((total, row) => total + row[kind], 0);
    return {
      unix_s: second.unix_s,
      users: second.users,
      requests_per_second: sum('requests') / last.length,
      failures_per_second: sum('real') / last.length,
      percentiles_ms: percentilesOf(recent),
      min_ms: recent.minMs,
      total_requests: this.#total.count,
      total_failures: this.#failures,
      total_median_ms: this.#total.at(50) ?? 0,
      total_mean_ms: this.#total.meanMs,
      total_min_ms: this.#total.minMs,
      total_max_ms: this.#total.maxMs,
      total_mean_bytes: this.#total.count === 0 ? 0 : this.#bytes / this.#total.count,
    };
  }
}
