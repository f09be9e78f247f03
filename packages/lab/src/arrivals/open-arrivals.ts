/**
 * The open model: tasks start at their intended times whatever the answers do, so a slow target meets the same load as a fast one and
 * cannot hide its queue (coordinated omission).
 * @module
 */
import { type Crowd, TaskCounter } from './crowd.ts';

/** Starts in a row without looking after answers, when the schedule has fallen behind. */
const startsPerTurn = 32;

/** What is to arrive. */
export interface ArrivalPlan {
  readonly perSecond: number;
  readonly intended: number;
  /** How many of them can be started: fewer when the preparation fell short. */
  readonly available: number;
  /** Starts one. @param intendedAtMs from when its latency counts */
  readonly act: (index: number, intendedAtMs: number) => Promise<unknown>;
}

/** Starts the arrivals. */
export const startArrivals = ({ perSecond, intended, available, act }: ArrivalPlan): Crowd => {
  const counter = new TaskCounter();
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  const startMs = performance.now();

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        stopping.signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      stopping.signal.addEventListener('abort', end, { once: true });
    });

  const arrive = async (): Promise<void> => {
    for (let index = 0; index < available; index++) {
      const dueMs = startMs + (index / perSecond) * 1000;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
      else if (index % startsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve));
      if (stopping.signal.aborted) return;
      const task = counter.run(() => act(index, dueMs), dueMs).finally(() => running.delete(task));
      running.add(task);
    }
  };

  const ended = arrive().then(async () => {
    await Promise.all(running);
  });
  return {
    started: available,
    ready: available,
    isReady: true,
    get tasks() {
      return counter.tasks;
    },
    get lateStarts() {
      return counter.lateStarts;
    },
    get droppedStarts() {
      return intended - counter.tasks;
    },
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
    stop: () => stopping.abort(),
  };
};
