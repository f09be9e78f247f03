/**
 * The closed model: a number of users, started at a rate, each waiting for its answer before it goes on (Locust's model).
 * @module
 */
import { randomOf } from './random.ts';
import { type Behaviour, nextStep } from './schedule.ts';

/** How late starts are counted, milliseconds after their time. */
const lateStartMs = 100;
/** Most different exceptions that are kept apart. */
const exceptionsMax = 100;

/** A fault of a scenario, not of the target: what the target does wrong is an outcome. */
export interface ScenarioException {
  readonly message: string;
  readonly traceback: string;
  count: number;
}

/** Counters of a running crowd. */
export interface Crowd {
  readonly started: number;
  /** Users that have become ready once. */
  readonly ready: number;
  /** Tasks begun after their wait, and how many of them began late: the generator could not keep its own schedule. */
  readonly tasks: number;
  readonly lateStarts: number;
  readonly inFlight: number;
  readonly exceptions: readonly ScenarioException[];
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
  /** First act of a user. */
  readonly enter: (user: User) => Promise<void>;
  readonly act: (user: User, task: Task) => Promise<void>;
  readonly isReady: (user: User) => boolean;
}

/** Starts the users. */
export const startCrowd = <Task extends string, User>(plan: CrowdPlan<Task, User>): Crowd => {
  const state = { started: 0, ready: 0, tasks: 0, lateStarts: 0, inFlight: 0 };
  const exceptions = new Map<string, ScenarioException>();
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

  const note = (thrown: unknown): void => {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const known = exceptions.get(error.message);
    if (known !== undefined) known.count += 1;
    else if (exceptions.size < exceptionsMax)
      exceptions.set(error.message, { message: error.message, traceback: error.stack ?? '', count: 1 });
  };

  const run = async (act: () => Promise<void>): Promise<void> => {
    state.inFlight += 1;
    try {
      await act();
    } catch (error) {
      note(error);
    } finally {
      state.inFlight -= 1;
    }
  };

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
    await run(() => plan.enter(user));
    noticeReady();
    while (!isStopped) {
      const { waitMs, task } = nextStep(plan.behaviour, random);
      const dueMs = performance.now() + waitMs;
      await sleep(waitMs);
      if (isStopped) return;
      state.tasks += 1;
      if (performance.now() - dueMs > lateStartMs) state.lateStarts += 1;
      await run(() => plan.act(user, task));
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
    get tasks() {
      return state.tasks;
    },
    get lateStarts() {
      return state.lateStarts;
    },
    get inFlight() {
      return state.inFlight;
    },
    get exceptions() {
      return [...exceptions.values()];
    },
    ended,
    stop: () => {
      isStopped = true;
      for (const wake of [...sleepers]) wake();
    },
  };
};
