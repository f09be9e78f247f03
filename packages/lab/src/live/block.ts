/**
 * The block that a terminal shows of a run. Pure: seconds in, lines out.
 * @module
 */
import type { SecondResult } from '../results/result.ts';
import { ms, totalsOf } from './plain-lines.ts';

/** State of the view, besides the seconds. */
export interface LiveView {
  readonly users: number;
  readonly durationSeconds: number;
  readonly isSteady: boolean;
  /** Users by hand, as a factor of the plan. */
  readonly factor: number;
  readonly hasKeys: boolean;
  readonly canScale: boolean;
  readonly isEnding: boolean;
}

const barColumns = 30;
/** Seconds that the small charts show. */
const chartSeconds = 60;
const steps = '▁▂▃▄▅▆▇█';

/** A chart of one line, from zero to the highest value; blank where there is none. */
const sparkline = (values: readonly (number | null)[]): string => {
  const highest = Math.max(...values.map((value) => value ?? 0), 0);
  const stepOf = (value: number): string =>
    steps[highest === 0 ? 0 : Math.min(7, Math.floor((value / highest) * 8))] ?? '';
  return values.map((value) => (value === null ? ' ' : stepOf(value))).join('');
};

const timeOf = (seconds: number): string => {
  const whole = Math.max(0, Math.ceil(seconds));
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
};

const keysOf = ({ hasKeys, canScale, isEnding }: LiveView): string => {
  if (isEnding) return 'ending …';
  if (!hasKeys) return 'Ctrl-C ends the run and writes its results';
  return `${canScale ? '+ and - change the users by 10 % (the run counts as invalid then)   ' : ''}q ends the run and writes its results`;
};

/**
 * The lines.
 * @param seconds of the run so far, the last one being shown
 * @param columns of the terminal: no line is longer
 */
export const blockOf = (seconds: readonly SecondResult[], view: LiveView, columns: number): readonly string[] => {
  const second = seconds.at(-1);
  const passed = second?.t_s ?? 0;
  const filled = Math.min(barColumns, Math.round((passed / view.durationSeconds) * barColumns));
  const { ok, expected, real } = totalsOf(seconds);
  const recent = seconds.slice(-chartSeconds);
  const lines = [
    `  ${'█'.repeat(filled)}${'░'.repeat(barColumns - filled)}  ${timeOf(view.durationSeconds - passed)} left${view.isSteady ? ', steady' : ', warming up'}`,
    `  users     ${second?.users ?? 0} of ${view.users}${view.factor === 1 ? '' : `, by hand ${(view.factor * 100).toFixed(0)} %`}`,
    `  requests  ${second?.requests ?? 0}/s   p50 ${ms(second?.p50_ms ?? null)}   p95 ${ms(second?.p95_ms ?? null)}   p99 ${ms(second?.p99_ms ?? null)} ms`,
    `  requests/s ${sparkline(recent.map(({ requests }) => requests))}`,
    `  p95        ${sparkline(recent.map(({ p95_ms }) => p95_ms))}`,
    `  outcomes  ok ${ok}   expected ${expected}   real failures ${real}`,
    `  generator ${(second?.generator_cpu_percent ?? 0).toFixed(0)} % of a core, loop delay p99 ${(second?.loop_delay_p99_ms ?? 0).toFixed(1)} ms, ${(second?.generator_rss_mb ?? 0).toFixed(0)} MB` +
      (second?.target_cpu_percent == null ? '' : `   target ${second.target_cpu_percent.toFixed(0)} % CPU`),
    `  ${keysOf(view)}`,
  ];
  return lines.map((line) => line.slice(0, Math.max(20, columns - 1)));
};
