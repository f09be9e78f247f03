/**
 * Reads everything that is measured once a second, and remembers it.
 * @module
 */
import type { GeneratorSecond } from '../probes/generator.ts';
import type { TargetProcesses, TargetUsage } from '../probes/target-process.ts';
import type { HistoryRow, SecondResult } from '../reports/result.ts';
import { Histogram, percentiles } from './histogram.ts';
import type { Second } from './recorder.ts';

/** Percentiles of a histogram by name. */
export const percentilesOf = (histogram: { at(percentile: number): number | undefined }): Record<string, number> =>
  Object.fromEntries(
    percentiles.flatMap((percentile) => {
      const value = histogram.at(percentile);
      return value === undefined ? [] : [[String(percentile), value]];
    }),
  );

/** Seconds that the percentiles of a history row cover: a cumulative percentile would hide every late spike. */
const historyWindowSeconds = 10;

/** What the generator, however many processes it is, has done in a second. */
export interface LoadSecond {
  /** Users there are now. */
  readonly users: number;
  readonly requests: Second;
  readonly generator: GeneratorSecond;
}

/** Samples a run. */
export class Sampler {
  readonly seconds: SecondResult[] = [];
  readonly history: HistoryRow[] = [];
  readonly #target: TargetProcesses | undefined;
  readonly #recent: Histogram[] = [];
  readonly #total = new Histogram(2);
  #bytes = 0;
  #failures = 0;
  #lastUsage: TargetUsage | undefined;
  #lastMs = performance.now();

  constructor(target: TargetProcesses | undefined) {
    this.#target = target;
    this.#lastUsage = target?.read();
  }

  /** Takes a second that has ended. */
  take({ users, requests: { requests, ok, expected, real, bytes, latency }, generator }: LoadSecond): SecondResult {
    const nowMs = performance.now();
    const usage = this.#target?.read();
    const cpuPercent =
      usage === undefined || this.#lastUsage === undefined
        ? null
        : ((usage.cpuSeconds - this.#lastUsage.cpuSeconds) / (nowMs - this.#lastMs)) * 100_000;
    this.#lastUsage = usage;
    this.#lastMs = nowMs;
    const second: SecondResult = {
      t_s: this.seconds.length + 1,
      unix_s: Math.floor(Date.now() / 1000),
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
      target_cpu_percent: cpuPercent,
      target_rss_mb: usage?.rssMb ?? null,
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

  #historyRow(second: SecondResult): HistoryRow {
    const last = this.seconds.slice(-historyWindowSeconds);
    const sum = (kind: 'requests' | 'real'): number => last.reduce((total, row) => total + row[kind], 0);
    const recent = new Histogram(2);
    for (const latency of this.#recent) recent.add(latency);
    return {
      unix_s: second.unix_s,
      users: second.users,
      requests_per_second: sum('requests') / last.length,
      failures_per_second: sum('real') / last.length,
      percentiles_ms: percentilesOf(recent),
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
