/**
 * How fast dead workers are replaced, and when to stop replacing them.
 * @module
 */

/** A worker that served this long did not die of its start, milliseconds. */
const servedMsMin = 500;
/** Deaths within this time count together, milliseconds. */
const windowMs = 60_000;
/** One death more within the window is a crash loop. */
const deathsMax = 6;
const firstDelayMs = 100;

/** Counts the workers of the last minute that died of their start. */
export class RestartPolicy {
  #deaths: number[] = [];

  /**
   * Counts a death.
   * @param nowMs monotonic, milliseconds
   * @param servedMs how long the worker had served, milliseconds
   * @returns how long to wait before starting another worker, milliseconds; `undefined` when it
   *   would only die too
   */
  delayMs(nowMs: number, servedMs: number): number | undefined {
    if (servedMs >= servedMsMin) return firstDelayMs;
    this.#deaths = [...this.#deaths.filter((atMs) => nowMs - atMs < windowMs), nowMs];
    if (this.#deaths.length > deathsMax) return undefined;
    return firstDelayMs * 2 ** (this.#deaths.length - 1);
  }
}
