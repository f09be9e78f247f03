/**
 * A request as it is counted.
 * @module
 */
import type { Outcome } from './outcome.ts';

/** A request that waits longer than this, milliseconds, was slow before anything was broken. */
const inFlightMsMax = 1000;

/** A request that has ended, as it is counted. */
export interface Measured {
  readonly method: string;
  readonly name: string;
  readonly outcome: Outcome;
  /** When it was sent, or when it should have been: latencies count from here. */
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  readonly bytes: number;
  /** Worker that answered, where the target names its workers. */
  readonly worker?: string | undefined;
}

/**
 * Whether a request failed because something was broken while it was in flight: that says nothing
 * of the target as it was when the request was sent.
 */
export const isCutAt = ({ outcome, sentAtMs, answeredAtMs }: Measured, brokenAtMs: number): boolean =>
  outcome.kind === 'real' &&
  sentAtMs < brokenAtMs &&
  answeredAtMs >= brokenAtMs &&
  brokenAtMs - sentAtMs <= inFlightMsMax;
