/**
 * The schedule of a virtual user, which the target cannot influence: weighted tasks and waits.
 * @module
 */
import { hash } from 'node:crypto';
import { type Random, randomOf } from './random.ts';

/** Tasks by weight, and the wait between two tasks. */
export interface Behaviour<Task extends string> {
  readonly weights: Readonly<Record<Task, number>>;
  /** Shortest and longest wait after a task, milliseconds; uniform in between. */
  readonly waitMs: readonly [number, number];
  /**
   * The wait counts from the beginning of a task, not from its end: a slow answer does not slow the
   * user down.
   */
  readonly isPacing?: true;
  /** Draws the wait, milliseconds, in place of `waitMs`. */
  readonly drawWaitMs?: (random: Random) => number;
}

/** One step: wait, then do the task. */
export interface Step<Task extends string> {
  readonly waitMs: number;
  readonly task: Task;
}

/** Waits are multiples of this: a schedule needs no finer one. */
const waitGrainMs = 10;
/** Longest wait, milliseconds: a wait function that answers nonsense must not lose a user. */
const waitMsMax = 3_600_000;

const drawn = (waitMs: number): number => (waitMs >= 0 ? Math.min(waitMsMax, waitMs) : 0);

/** Prepares the drawing of a behaviour's steps: weights are added up once and not for each step. */
export const stepsOf = <Task extends string>(behaviour: Behaviour<Task>): ((random: Random) => Step<Task>) => {
  const { drawWaitMs } = behaviour;
  const [shortest, longest] = behaviour.waitMs;
  const entries = Object.entries(behaviour.weights) as [Task, number][];
  const sum = entries.reduce((total, [, weight]) => total + weight, 0);
  const last = (entries.at(-1) as [Task, number])[0];
  return (random) => {
    const wait = drawWaitMs === undefined ? shortest + random() * (longest - shortest) : drawn(drawWaitMs(random));
    let left = random() * sum;
    let task = last;
    for (const [name, weight] of entries) {
      left -= weight;
      if (left >= 0) continue;
      task = name;
      break;
    }
    return { waitMs: Math.round(wait / waitGrainMs) * waitGrainMs, task };
  };
};

/** Draws the next step of a user. */
export const nextStep = <Task extends string>(behaviour: Behaviour<Task>, random: Random): Step<Task> =>
  stepsOf(behaviour)(random);

/** Steps of each user that the fingerprint covers. */
const fingerprintSteps = 20;

/** Fingerprint of a schedule: equal for equal seeds, users and behaviour. */
export const scheduleFingerprint = <Task extends string>(
  seed: string,
  users: number,
  behaviour: Behaviour<Task>,
): string => {
  const step = stepsOf(behaviour);
  const steps = Array.from({ length: Math.min(users, 1000) }, (_, index) => {
    const random = randomOf(seed, index);
    return Array.from({ length: fingerprintSteps }, () => step(random));
  });
  return hash('sha256', JSON.stringify([users, behaviour, steps]), 'hex').slice(0, 16);
};
