/**
 * The jobs of housekeeping, started in this process.
 * @module
 */
import type { JournalReader } from '@catalytic/guard/journal-reader';
import type { View } from '@catalytic/guard/view';
import type { Polls } from '../features/guards/polls.ts';
import type { KeyRing } from '../features/signing-keys/key-ring.ts';
import { housekeepingJobs } from '../housekeeping.ts';
import { jobsOf, type RoundTime, startJobs } from '../run-jobs.ts';
import type { Stores } from '../stores/stores.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Start } from './start.ts';

/** What this works with. */
export interface StartHousekeepingParts extends Omit<Start, 'onFatal'> {
  readonly stores: Stores;
  readonly keys: KeyRing;
  readonly view: View;
  readonly polls: Polls;
  readonly reader: Pick<JournalReader, 'memberIds'>;
  readonly metrics: Pick<Metrics, 'jobs'>;
  readonly time: () => RoundTime;
}

/** Starts the jobs that this process runs. @returns stops them, waiting for one that runs */
export const startHousekeeping = (parts: StartHousekeepingParts): (() => Promise<void>) => {
  const { config, log, link, stores, keys, view, polls, reader, metrics, time } = parts;
  const { refreshGraceSeconds, auditDays, profile } = config;
  const jobs = jobsOf(
    housekeepingJobs({ stores, keys, view, polls, reader, guards: stores.guards, refreshGraceSeconds, auditDays }),
    {
      workerNumber: link.number,
      ownsDataFolder: profile.ownsDataFolder,
    },
  );
  return startJobs({
    jobs,
    time,
    observer: metrics.jobs(jobs.map(({ name }) => name)),
    onFailure: (job, error) =>
      log.warn({ error, job }, 'Cannot finish a step of housekeeping; trying again in the next round'),
  });
};
