/**
 * The last seconds of a run as one line.
 * @module
 */
import type { Stretch } from '../measures/sampler.ts';
import type { SecondResult } from '../results/result.ts';

/** Milliseconds for people. */
export const ms = (value: number | null): string =>
  value === null ? '–' : value < 100 ? value.toFixed(1) : value.toFixed(0);

/** Outcomes of all seconds so far. */
export const totalsOf = (seconds: readonly SecondResult[]): { ok: number; expected: number; real: number } => {
  const totals = { ok: 0, expected: 0, real: 0 };
  for (const second of seconds) for (const kind of ['ok', 'expected', 'real'] as const) totals[kind] += second[kind];
  return totals;
};

/**
 * The seconds since the line before, and the outcomes so far.
 * @param seconds of the run so far
 * @param interval those that the line is about
 * @param durationSeconds length of the run
 */
export const plainLine = (
  seconds: readonly SecondResult[],
  interval: Stretch,
  isSteady: boolean,
  durationSeconds: number,
): string => {
  const second = interval.seconds.at(-1);
  if (second === undefined) return '';
  const [recent, all] = [totalsOf(interval.seconds), totalsOf(seconds)];
  const requests = recent.ok + recent.expected + recent.real;
  const at = (percentile: number): string => ms(interval.latency.at(percentile) ?? null);
  const leftSeconds = Math.max(0, durationSeconds - second.t_s);
  const cpuPercent = Math.max(...interval.seconds.map((each) => each.generator_cpu_percent));
  return (
    `${String(second.t_s).padStart(4)} s  ${leftSeconds.toFixed(0)} s left  users ${second.users}  ` +
    `last ${interval.seconds.length} s: ${(requests / interval.seconds.length).toFixed(0)} req/s  ` +
    `p50 ${at(50)}  p95 ${at(95)}  p99 ${at(99)} ms  real failures ${recent.real}  ` +
    `so far: ok ${all.ok}  expected ${all.expected}  real failures ${all.real}  generator ${cpuPercent.toFixed(0)} % CPU` +
    `${isSteady ? '  steady' : ''}`
  );
};
