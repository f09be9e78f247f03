/**
 * The open model: tasks start at their intended times whatever the answers do, so a slow target meets the same load as a fast one and
 * cannot hide its queue (coordinated omission).
 * @module
 */
import { Alarms } from './alarms.ts';
import { type Crowd, lateStartMs, TaskCounter } from './crowd.ts';

/** Starts in a row without looking after answers, when the schedule has fallen behind. */
const startsPerTurn = 32;

/** What is to arrive. */
export interface ArrivalPlan {
  /** Times of the starts in order, milliseconds since the start of the run. */
  readonly timesMs: ArrayLike<number>;
  /** How many of them can be started: fewer when the preparation fell short. */
  readonly available: number;
  /** Whether one more can be taken on; one that cannot is dropped, and counted as such. */
  readonly hasRoom?: () => boolean;
  /** Starts one. @param intendedAtMs from when its latency counts */
  readonly act: (index: number, intendedAtMs: number) => Promise<unknown>;
  /** Users that do it, for display. */
  readonly users?: number;
  /** Share of the starts that this process has: `first`, and every `of`-th after it. */
  readonly share?: { readonly first: number; readonly of: number };
  /** When the run starts, on this process's monotonic clock; now when absent. */
  readonly startMs?: number;
}

/** Starts the arrivals. */
export const startArrivals = (plan: ArrivalPlan): Crowd => {
  const { timesMs, available, act, hasRoom } = plan;
  const { first, of } = plan.share ?? { first: 0, of: 1 };
  const counter = new TaskCounter();
  const alarms = new Alarms();
  const startMs = plan.startMs ?? performance.now();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  let isOver = false;
  let dropped = 0;

  const noticeEnd = (): void => {
    if (isOver && counter.inFlight === 0) end();
  };

  const startOne = (index: number, dueMs: number): void => {
    if (hasRoom?.() === false) {
      dropped += 1;
      return;
    }
    void counter.run(() => act(index, dueMs), dueMs).then(noticeEnd);
  };

  let next = first;
  const dueMsOf = (index: number): number => startMs + (timesMs[index] ?? 0);

  /** At the end: starts that are due and not late yet belong to the run; the others that were due never came. */
  const settle = (): void => {
    for (const nowMs = performance.now(); next < timesMs.length && dueMsOf(next) <= nowMs; next += of)
      if (next < available && nowMs - dueMsOf(next) <= lateStartMs) startOne(next, dueMsOf(next));
      else dropped += 1;
  };

  const arrive = (): void => {
    for (let starts = 0; !isOver; starts++) {
      if (next >= Math.min(available, timesMs.length)) {
        isOver = true;
        noticeEnd();
        return;
      }
      const dueMs = dueMsOf(next);
      if (dueMs > performance.now()) {
        alarms.at(dueMs, arrive);
        return;
      }
      if (starts >= startsPerTurn) {
        setImmediate(arrive);
        return;
      }
      startOne(next, dueMs);
      next += of;
    }
  };
  arrive();

  return {
    started: plan.users ?? available,
    active: plan.users ?? available,
    ready: plan.users ?? available,
    isReady: true,
    get tasks() {
      return counter.tasks;
    },
    get lateStarts() {
      return counter.lateStarts;
    },
    get droppedStarts() {
      return dropped;
    },
    get taskMs() {
      return counter.taskMs;
    },
    waitMs: 0,
    userMs: 0,
    get inFlight() {
      return counter.inFlight;
    },
    get exceptions() {
      return counter.exceptions;
    },
    ended,
    scale: () => {},
    stop: () => {
      settle();
      isOver = true;
      alarms.clear();
      noticeEnd();
    },
  };
};
