/**
 * Reads everything that is measured once a second, and remembers it.
 * @module
 */
import type { GeneratorProbe } from '../probes/generator.ts';
import type { TargetProcesses, TargetUsage } from '../probes/target-process.ts';
import type { HistoryRow, SecondResult } from '../reports/result.ts';
import { outcomesOf } from './criteria.ts';
import { percentiles } from './histogram.ts';
import { historyWindowSeconds, type Recorder } from './recorder.ts';

/** Percentiles of a histogram by name. */
export const percentilesOf = (histogram: { at(percentile: number): number | undefined }): Record<string, number> =>
  Object.fromEntries(
    percentiles.flatMap((percentile) => {
      const value = histogram.at(percentile);
      return value === undefined ? [] : [[String(percentile), value]];
    }),
  );

/** Samples a run. */
export class Sampler {
  readonly seconds: SecondResult[] = [];
  readonly history: HistoryRow[] = [];
  readonly #recorder: Recorder;
  readonly #generator: GeneratorProbe;
  readonly #target: TargetProcesses | undefined;
  #lastUsage: TargetUsage | undefined;
  #lastMs = performance.now();

  constructor(recorder: Recorder, generator: GeneratorProbe, target: TargetProcesses | undefined) {
    this.#recorder = recorder;
    this.#generator = generator;
    this.#target = target;
    this.#lastUsage = target?.read();
  }

  /** Ends a second. @param users users running now */
  turnSecond(users: number): SecondResult {
    const nowMs = performance.now();
    const { requests, ok, expected, real, p50Ms, p95Ms, p99Ms } = this.#recorder.turnSecond();
    const generator = this.#generator.turnSecond();
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
      p50_ms: p50Ms,
      p95_ms: p95Ms,
      p99_ms: p99Ms,
      generator_cpu_percent: generator.cpuPercent,
      loop_delay_p99_ms: generator.loopDelayP99Ms,
      loop_busy_percent: generator.loopBusyPercent,
      generator_rss_mb: generator.rssMb,
      target_cpu_percent: cpuPercent,
      target_rss_mb: usage?.rssMb ?? null,
    };
    this.seconds.push(second);
    this.history.push(this.#historyRow(second));
    return second;
  }

  #historyRow(second: SecondResult): HistoryRow {
    const { whole } = this.#recorder;
    const last = this.seconds.slice(-historyWindowSeconds);
    const sum = (kind: 'requests' | 'real'): number => last.reduce((total, row) => total + row[kind], 0);
    const totals = outcomesOf(whole);
    const bytes = [...whole.endpoints.values()].reduce((total, endpoint) => total + endpoint.bytes, 0);
    return {
      unix_s: second.unix_s,
      users: second.users,
      requests_per_second: sum('requests') / last.length,
      failures_per_second: sum('real') / last.length,
      percentiles_ms: percentilesOf(this.#recorder.recent()),
      total_requests: totals.all,
      total_failures: totals.real,
      total_median_ms: whole.total.at(50) ?? 0,
      total_mean_ms: whole.total.meanMs,
      total_min_ms: whole.total.minMs,
      total_max_ms: whole.total.maxMs,
      total_mean_bytes: totals.all === 0 ? 0 : bytes / totals.all,
    };
  }
}
