/**
 * What a virtual user does and when, before the target has a say: weighted tasks and uniform waits.
 * @module
 */
import { hash } from 'node:crypto';
import { type Random, randomOf } from './random.ts';

/** Tasks by weight, and the wait between two tasks. */
export interface Behaviour<Task extends string> {
  readonly weights: Readonly<Record<Task, number>>;
  /** Shortest and longest wait after a task, milliseconds; uniform in between. */
  readonly waitMs: readonly [number, number];
}

/** One step: wait, then do the task. */
export interface Step<Task extends string> {
  readonly waitMs: number;
  readonly task: Task;
}

/** Waits are multiples of this: Node keeps one timer list per duration, so 10,000 sleepers share some 200 lists. */
const waitGrainMs = 10;

/** Draws the next step of a user. */
export const nextStep = <Task extends string>({ weights, waitMs }: Behaviour<Task>, random: Random): Step<Task> => {
  const [shortest, longest] = waitMs;
  const wait = Math.round((shortest + random() * (longest - shortest)) / waitGrainMs) * waitGrainMs;
  const entries = Object.entries(weights) as [Task, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  const chosen = entries.find(([, weight]) => {
    left -= weight;
    return left < 0;
  });
  return { waitMs: wait, task: (chosen ?? (entries.at(-1) as [Task, number]))[0] };
};

/** Steps of each user that the fingerprint covers. */
const fingerprintSteps = 20;

/** Fingerprint of a schedule: equal for equal seeds, users and behaviour. */
export const scheduleFingerprint = <Task extends string>(
  seed: string,
  users: number,
  behaviour: Behaviour<Task>,
): string => {
  const steps = Array.from({ length: Math.min(users, 1000) }, (_, index) => {
    const random = randomOf(seed, index);
    return Array.from({ length: fingerprintSteps }, () => nextStep(behaviour, random));
  });
  return hash('sha256', JSON.stringify([users, behaviour, steps]), 'hex').slice(0, 16);
};
