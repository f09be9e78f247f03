/**
 * The counts that every arrival model keeps.
 * @module
 */

import { ExceptionCounts, type ScenarioException } from '../containment/exceptions.ts';

/** How late starts are counted, milliseconds after their time. */
export const lateStartMs = 100;

/** Counters of the users that load the target. */
export interface Crowd {
  /** Users started so far. */
  readonly started: number;
  /** Users there are, or should be, now. */
  readonly active: number;
  /** Users that have become ready once. */
  readonly ready: number;
  /** Whether all of them have. */
  readonly isReady: boolean;
  /**
   * Tasks begun at their time, and how many of them began late: the generator could not keep its
   * own schedule.
   */
  readonly tasks: number;
  readonly lateStarts: number;
  /**
   * Starts that were due and never came; `undefined` where none is intended, as in the closed
   * model.
   */
  readonly droppedStarts: number | undefined;
  /** Time spent in the tasks that have ended, milliseconds. */
  readonly taskMs: number;
  /** Waits that were drawn before the tasks that have begun, milliseconds; 0 in the open model. */
  readonly waitMs: number;
  /** Users by the time they were there, milliseconds. */
  readonly userMs: number;
  readonly inFlight: number;
  readonly exceptions: readonly ScenarioException[];
  /** Ends when everything that was started has ended. */
  readonly ended: Promise<void>;
  /** Scales the number of users by `factor`; the open model ignores it. */
  scale(factor: number): void;
  /** No new task from now on. */
  stop(): void;
}

/** Counts tasks and keeps their errors. */
export class TaskCounter {
  tasks = 0;
  lateStarts = 0;
  taskMs = 0;
  inFlight = 0;
  readonly #exceptions = new ExceptionCounts();

  /** Runs a task. @param dueMs its time; without one it is not counted */
  async run(act: () => Promise<unknown>, dueMs?: number): Promise<void> {
    const startedMs = performance.now();
    if (dueMs !== undefined) {
      this.tasks += 1;
      if (startedMs - dueMs > lateStartMs) this.lateStarts += 1;
    }
    this.inFlight += 1;
    try {
      await act();
    } catch (error) {
      this.#exceptions.note(error);
    } finally {
      this.inFlight -= 1;
      if (dueMs !== undefined) this.taskMs += performance.now() - startedMs;
    }
  }

  get exceptions(): readonly ScenarioException[] {
    return this.#exceptions.all;
  }
}
