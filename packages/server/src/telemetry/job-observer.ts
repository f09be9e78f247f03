/**
 * Port: told how the jobs of a process go.
 * @module
 */

/** Every job, as metrics and log lines name it. */
export const jobNames = [
  'load_signing_keys',
  'show_guards',
  'sweep_view',
  'forget_successors',
  'purge_journal',
  'purge_sessions',
  'purge_audit',
] as const;

/** One of {@link jobNames}. */
export type JobName = (typeof jobNames)[number];

/** Told after each run; must return at once and never throw. */
export interface JobObserver {
  onSuccess(job: JobName): void;
  onFailure(job: JobName): void;
}
