/**
 * How long the refusal of a password takes, whatever hash is stored.
 * @module
 */

/**
 * A refusal takes as long as this many of today's hashes. The costliest hash that an import accepts
 * takes 25 (`features/passwords/hash-cost.ts`); the rest is for the spread.
 */
const refusalHashes = 30;
/** Longest time that a refusal is held back for, milliseconds: under load each hash takes longer. */
const refusalMsMax = 1000;
/** Weight of the newest measurement in the running mean. */
const meanWeight = 0.1;

/**
 * The time of a check tells which kind of hash is stored, and so that an account was imported.
 * Therefore every refusal waits, without any work, until the costliest check would be done too.
 */
export class RefusalTime {
  #measured = 0;
  #hashMs = Number.POSITIVE_INFINITY;

  /** Takes into account that one of today's hashes took this long, milliseconds. */
  measure(tookMs: number): void {
    this.#measured++;
    // The first one has waited for the start of the hashing process.
    if (this.#measured === 2) this.#hashMs = tookMs;
    else if (this.#measured > 2) this.#hashMs += meanWeight * (tookMs - this.#hashMs);
  }

  /** How much longer a refusal waits whose check took `tookMs`, milliseconds. */
  restMs(tookMs: number): number {
    return Math.max(0, Math.min(refusalMsMax, refusalHashes * this.#hashMs) - tookMs);
  }
}
