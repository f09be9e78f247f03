/**
 * The open model: tasks start at their intended times whatever the answers do, so a slow target
 * meets the same load as a fast one and cannot hide its queue (coordinated omission).
 * @module
 */
import type { ScenarioException } from '../containment/exceptions.ts';
import { Alarms } from './alarms.ts';
import { type Crowd, lateStartMs, TaskCounter } from './crowd.ts';

/** Starts in a row without looking after answers, when the schedule has fallen behind. */
const startsPerTurn = 32;

/** The planned starts. */
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

/** The crowd of the open model. It starts when it is made. */
class OpenArrivals implements Crowd {
  readonly started: number;
  readonly active: number;
  readonly ready: number;
  readonly isReady = true;
  readonly waitMs = 0;
  readonly userMs = 0;
  readonly ended: Promise<void>;

  readonly #plan: ArrivalPlan;
  readonly #startMs: number;
  readonly #of: number;
  readonly #end: () => void;
  readonly #counter = new TaskCounter();
  readonly #alarms = new Alarms();
  /** The next start of this process, by its place in the plan. */
  #next: number;
  #dropped = 0;
  #isOver = false;

  constructor(plan: ArrivalPlan) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#end = resolve;
    this.#plan = plan;
    this.#startMs = plan.startMs ?? performance.now();
    const { first, of } = plan.share ?? { first: 0, of: 1 };
    this.#next = first;
    this.#of = of;
    this.started = plan.users ?? plan.available;
    this.active = this.started;
    this.ready = this.started;
    this.#arrive();
  }

  get tasks(): number {
    return this.#counter.tasks;
  }

  get lateStarts(): number {
    return this.#counter.lateStarts;
  }

  get droppedStarts(): number {
    return this.#dropped;
  }

  get taskMs(): number {
    return this.#counter.taskMs;
  }

  get inFlight(): number {
    return this.#counter.inFlight;
  }

  get exceptions(): readonly ScenarioException[] {
    return this.#counter.exceptions;
  }

  scale(): void {}

  stop(): void {
    this.#startWhatIsDue();
    this.#isOver = true;
    this.#alarms.clear();
    this.#noticeEnd();
  }

  /** Starts everything that is due, in turns, so that answers are looked after in between. */
  #arrive(): void {
    const { available, timesMs } = this.#plan;
    for (let starts = 0; !this.#isOver; starts++) {
      if (this.#next >= Math.min(available, timesMs.length)) {
        this.#isOver = true;
        this.#noticeEnd();
        return;
      }
      const dueMs = this.#dueMsOf(this.#next);
      if (dueMs > performance.now()) {
        this.#alarms.at(dueMs, () => this.#arrive());
        return;
      }
      if (starts >= startsPerTurn) {
        setImmediate(() => this.#arrive());
        return;
      }
      this.#startOne(this.#next, dueMs);
      this.#next += this.#of;
    }
  }

  #startOne(index: number, dueMs: number): void {
    if (this.#plan.hasRoom?.() === false) {
      this.#dropped += 1;
      return;
    }
    void this.#counter.run(() => this.#plan.act(index, dueMs), dueMs).then(() => this.#noticeEnd());
  }

  /**
   * At the end: a start that is due and not late yet belongs to the run; any other that was due
   * never came.
   */
  #startWhatIsDue(): void {
    const { available, timesMs } = this.#plan;
    const nowMs = performance.now();
    for (; this.#next < timesMs.length && this.#dueMsOf(this.#next) <= nowMs; this.#next += this.#of) {
      const dueMs = this.#dueMsOf(this.#next);
      if (this.#next < available && nowMs - dueMs <= lateStartMs) this.#startOne(this.#next, dueMs);
      else this.#dropped += 1;
    }
  }

  #dueMsOf(index: number): number {
    return this.#startMs + (this.#plan.timesMs[index] ?? 0);
  }

  #noticeEnd(): void {
    if (this.#isOver && this.#counter.inFlight === 0) this.#end();
  }
}

/** Starts the arrivals. */
export const startArrivals = (plan: ArrivalPlan): Crowd => new OpenArrivals(plan);
