/**
 * Time, passed in so that tests can control it.
 * @module
 */

/**
 * The clocks of a process. Both are read again at each use: a stored time would survive a pause of
 * the process.
 */
export interface Clocks {
  /** Monotonic, milliseconds. */
  monoMs(): number;
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
  /**
   * Calls `call` once, not before `ms` monotonic milliseconds have passed.
   * @returns cancels the call
   */
  after(ms: number, call: () => void): () => void;
}

/** The clocks of the machine. */
export const systemClocks: Clocks = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, call) => {
    // The shortest timer takes one to two milliseconds. A sign-out would wait for several of them.
    if (ms <= 0) {
      const immediate = setImmediate(call);
      return () => clearImmediate(immediate);
    }
    // A timer counts whole milliseconds from a rounded-down start, so it may fire up to two
    // milliseconds early.
    const timer = setTimeout(call, Math.ceil(ms + 1));
    return () => clearTimeout(timer);
  },
};

/**
 * Compares the wall clock of this process with another one, which was read between the sending of a
 * request and its reply.
 * @param sentWallMs this clock at the sending
 * @param otherMs the other clock
 * @param repliedWallMs this clock at the reply
 * @returns least amount by which this clock is ahead, milliseconds; negative: behind; 0: both may
 *   have been equal
 */
export const clockAheadMs = (sentWallMs: number, otherMs: number, repliedWallMs: number): number =>
  sentWallMs > otherMs ? sentWallMs - otherMs : Math.min(0, repliedWallMs - otherMs);
