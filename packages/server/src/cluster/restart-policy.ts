/**
 * How fast dead workers are replaced, and when that has become pointless.
 * @module
 */

/** Deaths within this time count together, milliseconds. */
const windowMs = 60_000;
/** One more than these within the window is a crash loop. */
const deathsMax = 6;
const firstDelayMs = 100;
const delayMsMax = 5000;

/** Remembers the deaths of the last minute. */
export class RestartPolicy {
  #deaths: number[] = [];

  /**
   * Counts a death.
   * @param nowMs monotonic, milliseconds
   * @returns how long to wait before starting another worker, milliseconds; `undefined` when it would only die again
   */
  delayMs(nowMs: number): number | undefined {
    this.#deaths = [...this.#deaths.filter((atMs) => nowMs - atMs < windowMs), nowMs];
    if (this.#deaths.length > deathsMax) return undefined;
    return Math.min(delayMsMax, firstDelayMs * 2 ** (this.#deaths.length - 1));
  }
}
