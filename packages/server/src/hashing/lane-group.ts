/**
 * The hashes of one kind: those that run, and a queue of those that wait for a lane.
 * @module
 */
import type { Secret } from '../features/secrets/secret.ts';

/** A hash to make (`storedHash` absent) or to check. */
export interface Job {
  readonly password: Secret<string>;
  readonly storedHash: string | undefined;
  readonly resolve: (result: string | boolean) => void;
  readonly reject: (error: Error) => void;
  /**
   * Monotonic, milliseconds. After this time the job is refused instead of started, because its
   * client no longer waits.
   */
  readonly deadlineMs: number;
}

/**
 * Most waiting jobs, whatever the deadline. It bounds memory if hashes are very fast and the
 * deadline is very long.
 */
const waitingMax = 10_000;
/** Weight of the newest measurement in the running mean of a hash's duration. */
const meanWeight = 0.1;

/** Jobs that cost about the same. */
export class LaneGroup {
  /** Most jobs of this group that run at once. */
  readonly lanes: number;
  /** Jobs that run. */
  running = 0;
  // A queue. The head index avoids shifting thousands of entries in a login storm.
  #waiting: Job[] = [];
  #head = 0;
  #meanMs: number;

  /** @param firstGuessMs expected duration of a hash before the first one has been measured */
  constructor(lanes: number, firstGuessMs: number) {
    this.lanes = lanes;
    this.#meanMs = firstGuessMs;
  }

  /** Number of jobs that wait. */
  get waiting(): number {
    return this.#waiting.length - this.#head;
  }

  /**
   * Mean time between two finished hashes, milliseconds.
   * @param threads those that no other group uses
   */
  hashMs(threads: number): number {
    return this.#meanMs / Math.max(1, Math.min(this.lanes, threads));
  }

  /**
   * How long a job that arrived now would wait, milliseconds; infinite when the queue is full.
   * @param threads those that no other group uses; 0 while there is no hashing process
   */
  expectedWaitMs(threads: number): number {
    if (this.waiting >= waitingMax) return Number.POSITIVE_INFINITY;
    if (this.waiting === 0 && this.running < Math.min(this.lanes, threads)) return 0;
    return (this.waiting + 1) * this.hashMs(threads);
  }

  /** Takes a job into the queue. */
  add(job: Job): void {
    this.#waiting.push(job);
  }

  /** Deadline of the next job; infinite when the group may run no more or has none. */
  get nextDeadlineMs(): number {
    const next = this.running < this.lanes ? this.#waiting[this.#head] : undefined;
    return next?.deadlineMs ?? Number.POSITIVE_INFINITY;
  }

  /** Takes the next job out of the queue, which must have one. */
  take(): Job {
    const job = this.#waiting[this.#head++] as Job;
    if (this.#head > 1024 || this.waiting === 0) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return job;
  }

  /** Takes the jobs out of the queue whose deadline has passed. */
  takeLate(nowMs: number): Job[] {
    const late: Job[] = [];
    while (this.waiting > 0 && (this.#waiting[this.#head] as Job).deadlineMs < nowMs) late.push(this.take());
    return late;
  }

  /** Takes all jobs out of the queue. */
  takeAll(): Job[] {
    return this.takeLate(Number.POSITIVE_INFINITY);
  }

  /** Adds a measured duration of a hash, milliseconds. */
  measure(tookMs: number): void {
    this.#meanMs += meanWeight * (tookMs - this.#meanMs);
  }
}
