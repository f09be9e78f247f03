/**
 * The worlds in which the model of a guard is explored, and the one in which each rule shows the harm that it prevents.
 * @module
 */
import { type GuardRules, type GuardWorld, soundGuardRules } from './guard-rules.ts';

const usual: GuardWorld = { workers: 1, ids: 1, leases: [2] };
const unlike: GuardWorld = { ...usual, leases: [1, 3] };
const ending: GuardWorld = { ...usual, isGuardEnding: true };
const clockSet: GuardWorld = { ...usual, isClockSet: true };
const putBack: GuardWorld = { ...usual, isPutBack: true };
const putBackTwo: GuardWorld = { ...putBack, workers: 2 };
const twoWorkers: GuardWorld = { ...usual, workers: 2 };
const twoIds: GuardWorld = { ...usual, ids: 2 };

/** What may happen besides, in words. */
export const guardWorlds: Readonly<Record<string, GuardWorld>> = {
  'one worker': usual,
  'one worker that restarts, and a guard that crashes or stops': { ...ending, isWorkerRestarting: true },
  'a database that is put back': putBack,
  'a wrong clock of the guard': clockSet,
  'guards whose leases differ': unlike,
  'two workers and a database that is put back': putBackTwo,
  'two workers': twoWorkers,
  'a guard that registers twice': twoIds,
  'a guard that registers twice, crashes or stops': { ...twoIds, isGuardEnding: true },
};

/** A way to break the protocol. */
export interface BrokenGuard {
  readonly name: string;
  readonly rules: GuardRules;
  readonly world: GuardWorld;
}

/** Where a rule can do harm when it is broken; elsewhere: one worker. */
const worldOf: Partial<Record<keyof GuardRules, GuardWorld>> = {
  idsAreNew: ending,
  leaseOfRow: unlike,
  ageIsTakenOff: unlike,
  deletesByRow: unlike,
  waitsByRow: unlike,
  pagesRemoveNothing: twoWorkers,
  startsOver: putBack,
  wrongClockGrantsNothing: clockSet,
  clockStepEndsLease: clockSet,
  stepForwardNotBelieved: clockSet,
  stopsBeforeLeaving: ending,
  nothingAfterStop: ending,
  formerRowStays: twoIds,
};

/** Either of these rules makes up for the other, so they do harm only when both are broken. */
const pair = ['newIdInNewHistory', 'acknowledgedInItsHistory'] as const;

const isOfPair = (rule: keyof GuardRules): boolean => pair.some((of) => of === rule);

/** Each rule broken once. */
export const brokenGuards: readonly BrokenGuard[] = [
  ...(Object.keys(soundGuardRules) as (keyof GuardRules)[])
    .filter((rule) => !isOfPair(rule))
    .map((rule) => ({
      name: rule,
      rules: { ...soundGuardRules, [rule]: false },
      world: worldOf[rule] ?? usual,
    })),
  {
    name: pair.join(' and '),
    rules: { ...soundGuardRules, newIdInNewHistory: false, acknowledgedInItsHistory: false },
    world: putBackTwo,
  },
];
