/**
 * Clocks that a test moves.
 * @module
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { Clocks } from '../../packages/guard/src/clocks.ts';

/** Clocks that move when they are told to; suspended, only the wall clock does. */
export class ManualClocks implements Clocks {
  #monoMs = 0;
  #wallMs: number;
  readonly #timers = new Set<{ readonly atMs: number; readonly call: () => void }>();
  readonly monoMs = (): number => this.#monoMs;
  readonly wallMs = (): number => this.#wallMs;

  /** @param wallMs milliseconds since 1970 at the beginning */
  constructor(wallMs = 0) {
    this.#wallMs = wallMs;
  }

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.#monoMs + ms, call };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Time passes, and nothing else happens: no timer rings. */
  pause(ms: number): void {
    this.#monoMs += ms;
    this.#wallMs += ms;
  }

  /** Somebody sets the wall clock, or the machine was suspended. */
  setWall(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Time passes, and the timers that are due ring. */
  async pass(ms: number): Promise<void> {
    this.pause(ms);
    for (const timer of [...this.#timers])
      if (timer.atMs <= this.#monoMs) {
        this.#timers.delete(timer);
        timer.call();
      }
    await turn();
  }
}
