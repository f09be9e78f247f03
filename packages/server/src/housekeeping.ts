/**
 * Housekeeping: the jobs that forget what is no longer needed, and notice keys made by other
 * processes.
 * @module
 */
import type { View } from '@catalytic/guard/view';
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import { type ShowGuardsParts, showEveryMs, showGuards } from './features/guards/show-guards.ts';
import { sessionKeepMs } from './features/sessions/rules.ts';
import type { KeyRing } from './features/signing-keys/key-ring.ts';
import { keyReloadMs } from './features/signing-keys/rules.ts';
import { type Job, type RoundTime, roundMs } from './run-jobs.ts';
import type { Stores } from './stores/stores.ts';

/** What housekeeping works on. */
export interface HousekeepingParts extends ShowGuardsParts {
  readonly stores: Pick<Stores, 'sessions' | 'journal' | 'deployment'>;
  readonly keys: KeyRing;
  readonly view: View;
  readonly refreshGraceSeconds: number;
  /** Age at which rows of the audit trail are deleted, days; 0 keeps them for ever. */
  readonly auditDays: number;
}

/** Rows deleted in one transaction, so that no other writer waits long. */
const purgeRowsMax = 1000;
const dayMs = 24 * 3600 * 1000;

/**
 * A job that deletes by the forgetting clock: a wall clock that is a week ahead for a moment must
 * not end every session, nor delete the audit trail. While that clock is unknown it deletes
 * nothing.
 */
const purging =
  (purge: (forgetMs: number) => unknown) =>
  ({ forgetMs }: RoundTime): unknown =>
    Number.isFinite(forgetMs) ? purge(forgetMs) : undefined;

/**
 * The jobs, in the order of a round. Every process runs each of them: the databases let several
 * delete at once, and the rate at which rows are deleted must grow with the number of processes
 * that write them.
 */
export const housekeepingJobs = (parts: HousekeepingParts): readonly Job[] => {
  const { stores, keys, view, refreshGraceSeconds, auditDays } = parts;
  const usual = { everyMs: roundMs, runsIn: 'every process' } as const;
  const jobs: Job[] = [
    { ...usual, name: 'load_signing_keys', everyMs: keyReloadMs, run: ({ nowMs }) => keys.load(nowMs) },
    { ...usual, name: 'show_guards', everyMs: showEveryMs, run: () => showGuards(parts) },
    { ...usual, name: 'sweep_view', run: ({ forgetMs }) => view.sweep(forgetMs) },
    {
      ...usual,
      name: 'forget_successors',
      run: ({ nowMs }) => stores.sessions.forgetSuccessors({ nowMs, sinceMs: refreshGraceSeconds * 1000 }),
    },
    {
      ...usual,
      name: 'purge_journal',
      // The view drops an entry at its time, the database a clock skew later: a process that starts
      // in between still reads it.
      run: purging((nowMs) => stores.journal.purge({ nowMs, sinceMs: clockSkewSeconds * 1000, rowsMax: purgeRowsMax })),
    },
    {
      ...usual,
      name: 'purge_sessions',
      run: purging((nowMs) => stores.sessions.purge({ nowMs, sinceMs: sessionKeepMs, rowsMax: purgeRowsMax })),
    },
  ];
  if (auditDays > 0)
    jobs.push({
      ...usual,
      name: 'purge_audit',
      run: purging((nowMs) =>
        stores.deployment.purgeAudit({ nowMs, sinceMs: auditDays * dayMs, rowsMax: purgeRowsMax }),
      ),
    });
  return jobs;
};
