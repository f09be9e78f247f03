/**
 * What a guard has done and what it knows, for health checks and metrics.
 * @module
 */
import type { Knowledge, Mode } from './verdicts.ts';

/** What a guard has done and what it knows. */
export interface GuardState extends Knowledge {
  readonly mode: Mode;
  /** Verdicts so far: accepted, refused, and those that were not to be had (503). */
  readonly accepted: number;
  readonly refused: number;
  readonly unavailable: number;
  /** Those of the accepted whose sign-out would not have been known (`whenStale: 'allow'`). */
  readonly acceptedStale: number;
  /** Why verdicts are not to be had; `undefined` while they are. */
  readonly problem: string | undefined;
}

const family = (name: string, type: 'counter' | 'gauge', help: string, samples: readonly string[]): string =>
  [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((sample) => `${name}${sample}`)].join('\n');

/** The figures in Prometheus' text form. */
export const metricsOf = (state: GuardState): string => {
  const { mode, current, registered, staleMs, remainingMs, entries } = state;
  const seconds = (ms: number): string => (Number.isFinite(ms) ? String(ms / 1000) : '+Inf');
  const families = [
    family(
      'catalytic_guard_verdicts_total',
      'counter',
      'Verdicts of this guard.',
      (['accepted', 'refused', 'unavailable'] as const).map((verdict) => `{verdict="${verdict}"} ${state[verdict]}`),
    ),
    family(
      'catalytic_guard_accepted_stale_total',
      'counter',
      'Accepted tokens whose sign-out would not have been known.',
      [` ${state.acceptedStale}`],
    ),
    family('catalytic_guard_current', 'gauge', 'Whether verdicts are to be had: 1 or 0.', [
      `{mode="${mode}"} ${Number(current)}`,
    ]),
    family('catalytic_guard_registered', 'gauge', 'Whether sign-outs wait for this guard: 1 or 0.', [
      ` ${Number(registered)}`,
    ]),
    family('catalytic_guard_stale_seconds', 'gauge', 'Time since the last poll that renewed the lease.', [
      ` ${seconds(staleMs)}`,
    ]),
    family('catalytic_guard_remaining_seconds', 'gauge', 'How long verdicts are to be had without the service.', [
      ` ${seconds(remainingMs)}`,
    ]),
    family('catalytic_guard_entries', 'gauge', 'Revocations held.', [` ${entries}`]),
  ];
  return `${families.join('\n')}\n`;
};
