/**
 * Time that a test moves: one queue of events for a whole deployment, and processes whose clocks run at rates of their own.
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clocks } from '@catalytic/guard/clocks';

/** Any longer history is a process that never comes to rest. */
const eventsMax = 200_000;

/** Numbers that look random and depend on the seed alone (mulberry32). */
export const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

interface Event {
  readonly atMs: number;
  readonly call: () => void;
}

/** Real time, which no process sees. */
export class SimulatedTime {
  nowMs = 0;
  readonly random: () => number;
  /** What happened, for the report of a failure. */
  readonly history: string[] = [];
  readonly #events = new Set<Event>();

  constructor(seed: number) {
    this.random = seeded(seed);
  }

  /** Calls once, later; returns what cancels it. */
  after(ms: number, call: () => void): () => void {
    const event = { atMs: this.nowMs + ms, call };
    this.#events.add(event);
    return () => this.#events.delete(event);
  }

  note(text: string): void {
    this.history.push(`${this.nowMs.toFixed(1).padStart(8)} ${text}`);
  }

  /** Lets everything happen up to a moment; `afterEach` event and what follows from it in the same turn. */
  async runUntil(endMs: number, afterEach: () => void): Promise<void> {
    for (let count = 0; ; count++) {
      let next: Event | undefined;
      for (const event of this.#events) if (next === undefined || event.atMs < next.atMs) next = event;
      if (next === undefined || next.atMs > endMs) break;
      if (count > eventsMax) throw new Error('The simulation does not come to rest');
      this.#events.delete(next);
      this.nowMs = next.atMs;
      next.call();
      await turn();
      afterEach();
    }
    this.nowMs = endMs;
  }
}

/** What makes the clocks of a process its own. */
export interface ProcessTraits {
  readonly name: string;
  /** Monotonic milliseconds in a real one: 1 ± 0.083. */
  readonly rate: number;
  readonly wallOffsetMs: number;
}

/** A process: whatever reaches it does so as an event of its own, not while it is frozen, and never after its death. */
export class SimulatedProcess {
  readonly name: string;
  readonly clocks: Clocks;
  isFrozen = false;
  isDead = false;
  readonly #time: SimulatedTime;
  readonly #rate: number;
  #stoodStillMs = 0;
  #late: (() => void)[] = [];

  constructor(time: SimulatedTime, { name, rate, wallOffsetMs }: ProcessTraits) {
    this.name = name;
    this.#time = time;
    this.#rate = rate;
    // Whole milliseconds, as a coarse clock has them: two events may carry the same time.
    const monoMs = (): number => Math.floor((time.nowMs - this.#stoodStillMs) * rate);
    this.clocks = {
      monoMs,
      wallMs: () => Math.floor(time.nowMs) + wallOffsetMs,
      after: (ms, call) => {
        const dueMs = monoMs() + ms;
        let isCancelled = false;
        const fire = (): void => {
          if (isCancelled) return;
          if (monoMs() >= dueMs) call();
          else this.deliver(1 / rate, fire);
        };
        this.deliver(ms / rate, fire);
        return () => {
          isCancelled = true;
        };
      },
    };
  }

  /** Real milliseconds that pass while the monotonic clock of this process counts so many, unless it stands still. */
  realMs(monoMs: number): number {
    return monoMs / this.#rate;
  }

  /** Calls in this process. */
  deliver(ms: number, call: () => void): void {
    this.#time.after(ms, () => {
      if (this.isDead) return;
      if (this.isFrozen) this.#late.push(call);
      else call();
    });
  }

  /** Stops for a while; `isSuspended`: and so does its monotonic clock. What arrived meanwhile is handled afterwards, in any order. */
  freeze(forMs: number, isSuspended: boolean): void {
    if (this.isFrozen || this.isDead) return;
    this.isFrozen = true;
    this.#time.after(forMs, () => {
      this.isFrozen = false;
      if (isSuspended) this.#stoodStillMs += forMs;
      for (const call of this.#late.splice(0)) this.deliver(this.#time.random(), call);
    });
  }
}
