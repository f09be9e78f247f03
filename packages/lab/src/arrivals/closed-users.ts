/**
 * The closed model: a number of users, started at a rate, each waiting for its answer before it goes on (Locust's model).
 * @module
 */

import { randomOf } from './random.ts';
import { type Behaviour, nextStep } from './schedule.ts';

/** How late starts are counted, milliseconds after their time. */
const lateStartMs = 100;

/** Counters of a running crowd. */
export interface Crowd {
  readonly started: number;
  readonly ready: number;
  /** Tasks begun after their wait, and how many of them began late: the generator could not keep its own schedule. */
  readonly tasks: number;
  readonly lateStarts: number;
  readonly inFlight: number;
  /** Ends when every user has ended. */
  readonly ended: Promise<void>;
  /** No new task from now on. */
  stop(): void;
}

/** What to do with a user. */
export interface CrowdPlan<Task extends string, User> {
  readonly users: number;
  /** Users started per second. */
  readonly spawnRate: number;
  readonly seed: string;
  readonly behaviour: Behaviour<Task>;
  readonly create: (index: number) => User;
  /** First act of a user. Resolves to whether it is ready: until then it does not count as such. */
  readonly enter: (user: User) => Promise<boolean>;
  readonly act: (user: User, task: Task) => Promise<void>;
  readonly isReady: (user: User) => boolean;
}

/** Starts the users. */
export const startCrowd = <Task extends string, User>(plan: CrowdPlan<Task, User>): Crowd => {
  const state = { started: 0, ready: 0, tasks: 0, lateStarts: 0, inFlight: 0 };
  const sleepers = new Set<() => void>();
  let isStopped = false;

  /** Sleeps; ends early when the crowd is stopped. */
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      sleepers.add(wake);
    });

  const live = async (index: number): Promise<void> => {
    await sleep((index / plan.spawnRate) * 1000);
    if (isStopped) return;
    const random = randomOf(plan.seed, index);
    const user = plan.create(index);
    state.started += 1;
    state.inFlight += 1;
    let isReady = await plan.enter(user);
    state.inFlight -= 1;
    if (isReady) state.ready += 1;
    while (!isStopped) {
      const step = nextStep(plan.behaviour, random);
      const dueMs = performance.now() + step.waitMs;
      await sleep(step.waitMs);
      if (isStopped) return;
      state.tasks += 1;
      if (performance.now() - dueMs > lateStartMs) state.lateStarts += 1;
      state.inFlight += 1;
      await plan.act(user, step.task);
      state.inFlight -= 1;
      if (!isReady && plan.isReady(user)) {
        isReady = true;
        state.ready += 1;
      }
    }
  };

  const ended = Promise.all(Array.from({ length: plan.users }, (_, index) => live(index))).then(() => {});
  return {
    get started() {
      return state.started;
    },
    get ready() {
      return state.ready;
    },
    get tasks() {
      return state.tasks;
    },
    get lateStarts() {
      return state.lateStarts;
    },
    get inFlight() {
      return state.inFlight;
    },
    ended,
    stop: () => {
      isStopped = true;
      for (const wake of [...sleepers]) wake();
    },
  };
};
