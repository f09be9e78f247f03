/**
 * When refused clients may come back. Each gets a separate slot in the time after the queue, so
 * that they do not all return at once.
 * @module
 */

/**
 * Longest time in `Retry-After`, seconds. A longer estimate would be worth little: some clients
 * with an earlier slot do not return, and others arrive without a slot.
 */
export const returnSecondsMax = 60;

/**
 * Hands out slots one after the other, at the rate at which lanes get free. If every client of a
 * storm got the same time, the storm would return at that time, and most of it would be refused
 * again. A slot reserves no place in the queue: clients without a slot may arrive first.
 */
export class ReturnTimes {
  /** Start of the first free slot, monotonic milliseconds. */
  #freeFromMs = Number.NEGATIVE_INFINITY;

  /**
   * Takes the next slot.
   * @param nowMs monotonic clock
   * @param waitMs time until the lanes have finished the running and waiting jobs
   * @param hashMs mean time between two finished hashes of all lanes together
   * @param chance in [0, 1): spreads the clients for which no slot is left below the maximum
   * @returns whole seconds, the unit of `Retry-After` (RFC 9110 section 10.2.3); at least one
   */
  take(nowMs: number, waitMs: number, hashMs: number, chance: number): number {
    const atMs = Math.max(this.#freeFromMs, nowMs + waitMs);
    const seconds = Math.max(1, Math.ceil((atMs - nowMs) / 1000));
    if (seconds > returnSecondsMax) return Math.ceil(returnSecondsMax * (1 - chance / 2));
    this.#freeFromMs = atMs + hashMs;
    return seconds;
  }
}
