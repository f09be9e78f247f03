/**
 * Requests that wait until their process is current.
 * @module
 */
import type { Clocks } from './clocks.ts';

/**
 * Most requests that may wait at once. Waiting requests cost memory, and all of them would go on,
 * or reach the database, at the same moment.
 */
const waitingMax = 1000;

/** The requests that wait. */
export class Waiting {
  readonly #clocks: Pick<Clocks, 'after'>;
  readonly #settles = new Set<(isCurrent: boolean) => void>();

  constructor(clocks: Pick<Clocks, 'after'>) {
    this.#clocks = clocks;
  }

  /** Waits. `false`: not current in time, or too many wait already. */
  wait(waitMs: number): Promise<boolean> {
    if (this.#settles.size >= waitingMax) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (isCurrent: boolean): void => {
        cancel();
        this.#settles.delete(settle);
        resolve(isCurrent);
      };
      const cancel = this.#clocks.after(waitMs, () => settle(false));
      this.#settles.add(settle);
    });
  }

  /** Lets all go on. */
  settle(isCurrent: boolean): void {
    for (const settle of [...this.#settles]) settle(isCurrent);
  }
}
