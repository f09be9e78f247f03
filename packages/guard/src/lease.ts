/**
 * The lease: how long a process may trust its view.
 * @module
 */

/**
 * A process is *current* for one lease from the moment its last good read was **sent**. Counting
 * from the reply would be wrong: the reply may have lain in a buffer while this process was paused.
 * The wall clock is checked as well, because the monotonic clock stands still while the machine is
 * suspended. The wall clock gets no tolerance: a suspension that ended within it could outlast the
 * full wait of a revoker. The wall clock must not have gone back either: an expired token, whose
 * revocation was forgotten, would be accepted again. Setting the wall clock costs one read.
 */
export class Lease {
  #leaseMs = 0;
  #sentMonoMs = Number.NEGATIVE_INFINITY;
  #sentWallMs = Number.NEGATIVE_INFINITY;

  /**
   * Records when a good read was sent, and the lease that it grants. It only lengthens: a read whose
   * lease ends before the recorded one changes nothing, unless the wall clock was set in between.
   */
  renew(sentMonoMs: number, sentWallMs: number, leaseMs: number): void {
    const isEarlier = sentMonoMs + leaseMs < this.#sentMonoMs + this.#leaseMs;
    if (isEarlier && this.isCurrent(sentMonoMs, sentWallMs)) return;
    this.#leaseMs = leaseMs;
    this.#sentMonoMs = sentMonoMs;
    this.#sentWallMs = sentWallMs;
  }

  /** Ends the lease: not current until the next good read. */
  end(): void {
    this.#sentMonoMs = Number.NEGATIVE_INFINITY;
    this.#sentWallMs = Number.NEGATIVE_INFINITY;
  }

  /**
   * Whether the view may be trusted at this moment. Read both clocks in the same turn of the event
   * loop, after the request.
   */
  isCurrent(monoMs: number, wallMs: number): boolean {
    return monoMs - this.#sentMonoMs < this.#leaseMs && Math.abs(wallMs - this.#sentWallMs) < this.#leaseMs;
  }

  /**
   * How long the process stays current if neither clock is set, milliseconds; 0: it is not. For
   * metrics: it decides nothing.
   */
  remainingMs(monoMs: number, wallMs: number): number {
    const elapsedMs = Math.max(monoMs - this.#sentMonoMs, Math.abs(wallMs - this.#sentWallMs));
    return Math.max(0, this.#leaseMs - elapsedMs);
  }
}
