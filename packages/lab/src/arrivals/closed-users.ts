/**
 * The closed model: a number of users, started at a rate, each waiting for its answer before it goes on (Locust's model).
 * @module
 */
import { type Crowd, TaskCounter } from './crowd.ts';
import { randomOf } from './random.ts';
import { type Behaviour, nextStep } from './schedule.ts';

/** What to do with a user. */
export interface CrowdPlan<Task extends string, User> {
  readonly users: number;
  /** Users started per second. */
  readonly spawnRate: number;
  readonly seed: string;
  readonly behaviour: Behaviour<Task>;
  readonly create: (index: number) => User;
  /** First act of a user. */
  readonly enter: (user: User) => Promise<void>;
  readonly act: (user: User, task: Task) => Promise<void>;
  readonly isReady: (user: User) => boolean;
}

/** Starts the users. */
export const startCrowd = <Task extends string, User>(plan: CrowdPlan<Task, User>): Crowd => {
  const state = { started: 0, ready: 0 };
  const counter = new TaskCounter();
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
    let isReady = false;
    const noticeReady = (): void => {
      if (isReady || !plan.isReady(user)) return;
      isReady = true;
      state.ready += 1;
    };
    state.started += 1;
    await counter.run(() => plan.enter(user));
    noticeReady();
    while (!isStopped) {
      const { waitMs, task } = nextStep(plan.behaviour, random);
      const dueMs = performance.now() + waitMs;
      await sleep(waitMs);
      if (isStopped) return;
      await counter.run(() => plan.act(user, task), dueMs);
      noticeReady();
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
    get isReady() {
      return state.ready === plan.users;
    },
    get tasks() {
      return counter.tasks;
    },
    get lateStarts() {
      return counter.lateStarts;
    },
    droppedStarts: undefined,
    get taskMs() {
      return counter.taskMs;
    },
    get inFlight() {
      return counter.inFlight;
    },
    get exceptions() {
      return counter.exceptions;
    },
    ended,
    stop: () => {
      isStopped = true;
      for (const wake of [...sleepers]) wake();
    },
  };
};
