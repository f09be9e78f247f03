/**
 * A second of a run as one line.
 * @module
 */
import type { SecondResult } from '../reports/result.ts';

/** Milliseconds for people. */
export const ms = (value: number | null): string =>
  value === null ? '–' : value < 100 ? value.toFixed(1) : value.toFixed(0);

/** Outcomes of all seconds so far. */
export const totalsOf = (seconds: readonly SecondResult[]): { ok: number; expected: number; real: number } => {
  const totals = { ok: 0, expected: 0, real: 0 };
  for (const second of seconds) for (const kind of ['ok', 'expected', 'real'] as const) totals[kind] += second[kind];
  return totals;
};

/** The last second, and the outcomes so far. @param durationSeconds length of the run */
export const plainLine = (seconds: readonly SecondResult[], isSteady: boolean, durationSeconds: number): string => {
  const second = seconds.at(-1);
  if (second === undefined) return '';
  const { ok, expected, real } = totalsOf(seconds);
  const leftSeconds = Math.max(0, durationSeconds - second.t_s);
  return (
    `${String(second.t_s).padStart(4)} s  ${leftSeconds.toFixed(0)} s left  users ${second.users}  ${second.requests} req/s  ` +
    `p50 ${ms(second.p50_ms)}  p95 ${ms(second.p95_ms)}  p99 ${ms(second.p99_ms)} ms  ` +
    `ok ${ok}  expected ${expected}  real failures ${real}  generator ${second.generator_cpu_percent.toFixed(0)} % CPU` +
    `${isSteady ? '  steady' : ''}`
  );
};
