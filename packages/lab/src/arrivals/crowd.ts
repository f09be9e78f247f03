/**
 * What every arrival model counts.
 * @module
 */

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

/** Counters of those who load the target. */
export interface Crowd {
  /** Users started so far. */
  readonly started: number;
  /** Users there are, or should be, now. */
  readonly active: number;
  /** Users that have become ready once. */
  readonly ready: number;
  /** Whether all of them have. */
  readonly isReady: boolean;
  /** Tasks begun at their time, and how many of them began late: the generator could not keep its own schedule. */
  readonly tasks: number;
  readonly lateStarts: number;
  /** Starts that were intended but never came; `undefined` where nothing is intended, as in the closed model. */
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
  /** Makes the users so many times what was planned; the open model ignores it. */
  scale(factor: number): void;
  /** No new task from now on. */
  stop(): void;
}

/** Counts tasks and keeps what they throw. */
export class TaskCounter {
  tasks = 0;
  lateStarts = 0;
  taskMs = 0;
  inFlight = 0;
  readonly #exceptions = new Map<string, ScenarioException>();

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
      this.#note(error);
    } finally {
      this.inFlight -= 1;
      if (dueMs !== undefined) this.taskMs += performance.now() - startedMs;
    }
  }

  get exceptions(): readonly ScenarioException[] {
    return [...this.#exceptions.values()];
  }

  #note(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const known = this.#exceptions.get(error.message);
    if (known !== undefined) known.count += 1;
    else if (this.#exceptions.size < exceptionsMax)
      this.#exceptions.set(error.message, { message: error.message, traceback: error.stack ?? '', count: 1 });
  }
}
