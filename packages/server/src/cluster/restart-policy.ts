/**
 * How fast dead workers are replaced, and when that has become pointless.
 * @module
 */

/** Who has served for this long did not die of its start, milliseconds. */
const servedMsMin = 500;
/** Deaths within this time count together, milliseconds. */
const windowMs = 60_000;
/** One more than these within the window is a crash loop. */
const deathsMax = 6;
const firstDelayMs = 100;

/** Remembers the workers of the last minute that died of their start. */
export class RestartPolicy {
  #deaths: number[] = [];

  /**
   * Counts a death.
   * @param nowMs monotonic, milliseconds
   * @param servedMs how long the worker had served, milliseconds
   * @returns how long to wait before starting another worker, milliseconds; `undefined` when it would only die again
   */
  delayMs(nowMs: number, servedMs: number): number | undefined {
    if (servedMs >= servedMsMin) return firstDelayMs;
    this.#deaths = [...this.#deaths.filter((atMs) => nowMs - atMs < windowMs), nowMs];
    if (this.#deaths.length > deathsMax) return undefined;
    return firstDelayMs * 2 ** (this.#deaths.length - 1);
  }
}
