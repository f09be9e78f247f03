/**
 * The load that the options of a run ask for: tasks and waits, number of users, start times.
 * @module
 */
import { arrivalTimes } from '../arrivals/arrival-times.ts';
import type { Random } from '../arrivals/random.ts';
import { type Behaviour, scheduleFingerprint } from '../arrivals/schedule.ts';
import { stagedUsers, steadyUsers, type UserPlan } from '../arrivals/stages.ts';
import { strayFaults } from '../containment/stray-faults.ts';
import type { RunOptions } from '../options/run-options.ts';
import { weightsOf } from '../scenarios/scenario.ts';

/** A wait of the scenario's own; where it throws, one second, and the fault is counted. */
const drawSafely =
  (draw: (random: Random) => number) =>
  (random: Random): number => {
    try {
      return draw(random) * 1000;
    } catch (thrown) {
      strayFaults.note(thrown, 'wait');
      return 1000;
    }
  };

/** Tasks and waits of the users. */
export const behaviourOf = ({ scenario, waitSeconds: [shortest, longest], isPaced }: RunOptions): Behaviour<string> => {
  const wait = scenario.custom?.wait;
  return {
    weights: weightsOf(scenario),
    waitMs: [shortest * 1000, longest * 1000],
    ...(isPaced ? { isPacing: true } : {}),
    ...(wait?.kind === 'drawn' ? { drawWaitMs: drawSafely(wait.draw) } : {}),
  };
};

/** Users over the run. */
export const userPlanOf = ({ users, spawnRate, stages }: RunOptions): UserPlan =>
  stages.length === 0 ? steadyUsers(users, spawnRate) : stagedUsers(stages, spawnRate);

/** Whether tasks begin at intended times, whatever the answers do. */
export const isOpen = ({ rate, logoutsPerSecond, stages }: RunOptions): boolean =>
  rate !== undefined || logoutsPerSecond !== undefined || stages.some((stage) => stage.rate !== undefined);

/** Times of all starts of the open model, milliseconds since the start of the run. */
export const intendedTimes = (options: RunOptions): Float64Array =>
  arrivalTimes({
    perSecond: options.logoutsPerSecond ?? options.rate ?? 1,
    stages: options.stages,
    durationSeconds: options.durationSeconds,
    spacing: options.arrivals,
    seed: options.seed,
  });

/** Fingerprint of the requests to the target and their times. */
export const fingerprintOf = (options: RunOptions): string =>
  scheduleFingerprint(
    options.stages.length === 0 && options.rate === undefined
      ? options.seed
      : JSON.stringify([options.seed, options.stages, options.rate, options.arrivals]),
    options.users,
    behaviourOf(options),
  );
