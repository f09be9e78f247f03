/**
 * The lease: how long a process may trust its view.
 * @module
 */

/**
 * A process is *current* for one lease from the moment its last good read of the journal was **sent**. From the reply would be wrong: the
 * reply may have lain in a buffer while this process was paused. The wall clock is asked as well, because the monotonic one stands still
 * while the machine is suspended, and it is given no longer: a suspension that ends within a tolerance would outlast the full wait of a
 * revoker. Nor may it have gone back: what has expired and been forgotten would be accepted once more. A wall clock that is set costs one
 * read of the journal.
 */
export class Lease {
  readonly #leaseMs: number;
  #sentMonoMs = Number.NEGATIVE_INFINITY;
  #sentWallMs = Number.NEGATIVE_INFINITY;

  /** @param leaseMs length, milliseconds */
  constructor(leaseMs: number) {
    this.#leaseMs = leaseMs;
  }

  /** A good read was sent at these times. An earlier one than the last changes nothing. */
  renew(sentMonoMs: number, sentWallMs: number): void {
    if (sentMonoMs < this.#sentMonoMs) return;
    this.#sentMonoMs = sentMonoMs;
    this.#sentWallMs = sentWallMs;
  }

  /** Not current from now on, until the next good read. */
  end(): void {
    this.#sentMonoMs = Number.NEGATIVE_INFINITY;
    this.#sentWallMs = Number.NEGATIVE_INFINITY;
  }

  /** Whether the view may be trusted at this moment. Both clocks must have been read in this turn, after the request had been read. */
  isCurrent(monoMs: number, wallMs: number): boolean {
    return monoMs - this.#sentMonoMs < this.#leaseMs && Math.abs(wallMs - this.#sentWallMs) < this.#leaseMs;
  }
}
