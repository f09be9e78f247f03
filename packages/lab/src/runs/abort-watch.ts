/**
 * Ends a run early when a criterion is beyond saving (`--abort-when`).
 * @module
 */
import { waitingPerUser } from '../arrivals/user-pool.ts';
import { intendedTimes, isOpen } from '../generators/load-plan.ts';
import { type Progress, talliesOf } from '../measures/beyond-saving.ts';
import { nameOf } from '../measures/criterion.ts';
import type { RunOptions } from '../options/run-options.ts';
import { isSteadyLongEnough } from '../reports/build-result.ts';

/**
 * Steady seconds before the first judgement: their highest rate is near the highest there will be.
 */
const watchedSecondsMin = 5;

/** Looks at a run once a second. */
export interface AbortWatch {
  /**
   * Judges the measurements so far.
   * @param atSeconds since the start of the run
   * @param steadySeconds when the steady window began
   * @returns the name of a criterion that fails whatever comes; `undefined` while all may still be
   * kept
   */
  look(progress: Progress, atSeconds: number, steadySeconds: number): string | undefined;
}

/** Most tasks that may begin until the end, beside those that were seen. */
const tasksToCome = (options: RunOptions): ((atSeconds: number) => number) => {
  const { users, durationSeconds, waitSeconds } = options;
  if (isOpen(options)) {
    const times = intendedTimes(options);
    // Starts that wait for a user come as well.
    const waiting = users * waitingPerUser;
    return (atSeconds) => waiting + times.length - times.findLastIndex((ms) => ms <= atSeconds * 1000) - 1;
  }
  const meanWait = (waitSeconds[0] + waitSeconds[1]) / 2;
  // Answered at once, users only wait: a slow target that becomes fast gets more requests than were
  // ever seen.
  return (atSeconds) => (meanWait === 0 ? 0 : (users / meanWait) * (durationSeconds - atSeconds));
};

/** Watches the criteria that may end a run. `undefined` when none may. */
export const watchToAbort = (options: RunOptions): AbortWatch | undefined => {
  const watched = options.criteria.filter((criterion) => options.abortWhen.includes(nameOf(criterion)));
  if (watched.length === 0) return undefined;
  const { durationSeconds } = options;
  const toCome = tasksToCome(options);
  const seen = new Map<string, { readonly all: number; readonly atSeconds: number; readonly highest: number }>();
  /**
   * The highest rate so far, a second. The first look knows none: the second it ends was not whole.
   */
  const rateOf = (key: string, all: number, atSeconds: number): number => {
    const last = seen.get(key);
    const rate = last === undefined ? 0 : (all - last.all) / Math.max(0.001, atSeconds - last.atSeconds);
    const highest = Math.max(rate, last?.highest ?? 0);
    seen.set(key, { all, atSeconds, highest });
    return highest;
  };
  return {
    look: (progress, atSeconds, steadySeconds) => {
      const left = durationSeconds - atSeconds;
      // A window too short to speak for the run decides nothing.
      const isJudged =
        isSteadyLongEnough(steadySeconds, durationSeconds) && atSeconds - steadySeconds >= watchedSecondsMin;
      for (const criterion of watched)
        for (const { key, all, isLost } of talliesOf(criterion, progress)) {
          const more = Math.max(rateOf(key, all, atSeconds) * left, toCome(atSeconds));
          if (isJudged && left > 0 && isLost(Math.ceil(more))) return nameOf(criterion);
        }
      return undefined;
    },
  };
};
