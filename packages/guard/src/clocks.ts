/**
 * Time, passed in so that a test can hold it still.
 * @module
 */

/** The clocks of a process. Both are read anew at each use: a remembered time would survive a pause. */
export interface Clocks {
  /** Monotonic, milliseconds. */
  monoMs(): number;
  /** Wall clock, milliseconds since 1970. */
  wallMs(): number;
  /** Calls once, not before so many monotonic milliseconds have passed. Returns what cancels it. */
  after(ms: number, call: () => void): () => void;
}

/** The clocks of the machine. */
export const systemClocks: Clocks = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  after: (ms, call) => {
    // A timer counts whole milliseconds from a rounded-down now: it may ring up to two too early.
    const timer = setTimeout(call, Math.ceil(ms + 1));
    return () => clearTimeout(timer);
  },
};
