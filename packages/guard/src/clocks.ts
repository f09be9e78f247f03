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
    // A timer counts whole milliseconds from a rounded-down start, so it may fire up to two
    // milliseconds early.
    const timer = setTimeout(call, Math.ceil(ms + 1));
    return () => clearTimeout(timer);
  },
};
