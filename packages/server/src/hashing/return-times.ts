/**
 * When refused clients may come back: each gets a place of its own in the time after the queue, so that they do not all return at once.
 * @module
 */

/**
 * Longest time a client is told to wait, seconds. Beyond it the estimate is worth little: who was told earlier may not return, and others
 * come unasked.
 */
export const returnSecondsMax = 60;

/**
 * Hands out times to come back, one after the other, as the lanes will get free. A storm that meets the same answer for all would be back
 * as a storm, and most of it refused again. What it cannot know is who comes without having been told: while that goes on, a place in
 * time is none in the queue.
 */
export class ReturnTimes {
  /** Monotonic, milliseconds: from here on nobody has been told to come. */
  #freeFromMs = Number.NEGATIVE_INFINITY;

  /**
   * Takes the next place.
   * @param nowMs monotonic clock
   * @param waitMs until the lanes are done with what they have
   * @param hashMs between two hashes of all lanes together
   * @param chance in [0, 1): spreads those for whom no place is left below the maximum
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
