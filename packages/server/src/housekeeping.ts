/**
 * What runs by itself: forgetting what is no longer needed, and noticing keys made by other processes.
 * @module
 */
import type { View } from '@catalytic/guard/view';
import { clockSkewSeconds } from '@catalytic/protocol/journal';
import type { Config } from './config/options.ts';
import type { KeyRing } from './features/signing-keys/key-ring.ts';
import type { Stores } from './stores/stores.ts';
import type { Logger } from './telemetry/log.ts';

/** What housekeeping works on. */
export interface HousekeepingParts {
  readonly stores: Stores;
  readonly keys: KeyRing;
  readonly view: View;
  readonly config: Config;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Wall clock by which revocations, sessions and the audit trail are forgotten: see `forgetting-clock.ts`. */
  readonly forgetMs: () => number;
}

/** Rows deleted in one transaction, so that no other writer waits long. */
const purgeRowsMax = 1000;
/** Ended and expired sessions are kept this long, so that a replay of their refresh tokens is still recognised. */
const sessionKeepMs = 24 * 3600 * 1000;
const dayMs = 24 * 3600 * 1000;

/**
 * Starts the round.
 * @param everyMs time between rounds
 * @returns stops it, waiting for a round that runs
 */
export const startHousekeeping = (parts: HousekeepingParts, everyMs: number): (() => Promise<void>) => {
  const { stores, keys, view, config, log, nowMs, forgetMs } = parts;
  let running: Promise<void> = Promise.resolve();

  const steps: readonly ((now: number, forget: number) => unknown)[] = [
    (now) => keys.load(now),
    (_now, forget) => view.sweep(forget),
    (now) => stores.sessions.forgetSuccessors({ nowMs: now, sinceMs: config.refreshGraceSeconds * 1000 }),
    // The view drops an entry at its time, the database a clock skew later: a process that starts in between still reads it.
    (_now, forget) =>
      Number.isFinite(forget) &&
      stores.journal.purge({ nowMs: forget, sinceMs: clockSkewSeconds * 1000, rowsMax: purgeRowsMax }),
    // By the same clock: one that is a week ahead for a moment must not end every session, nor forget the audit trail.
    (_now, forget) =>
      Number.isFinite(forget) &&
      stores.sessions.purge({ nowMs: forget, sinceMs: sessionKeepMs, rowsMax: purgeRowsMax }),
    (_now, forget) =>
      Number.isFinite(forget) &&
      config.auditDays > 0 &&
      stores.deployment.purgeAudit({ nowMs: forget, sinceMs: config.auditDays * dayMs, rowsMax: purgeRowsMax }),
  ];

  /** One step that fails must not keep the others from their turn. */
  const round = async (): Promise<void> => {
    const now = nowMs();
    const forget = forgetMs();
    for (const step of steps) {
      try {
        await step(now, forget);
      } catch (error) {
        log.warn({ error }, 'Cannot finish a step of housekeeping; trying again in the next round');
      }
    }
  };

  let isBusy = false;
  const timer = setInterval(() => {
    if (isBusy) return;
    isBusy = true;
    running = round().finally(() => {
      isBusy = false;
    });
  }, everyMs);
  return async () => {
    clearInterval(timer);
    await running;
  };
};
