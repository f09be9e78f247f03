/**
 * What is counted of a request.
 * @module
 */
import type { Outcome } from './outcome.ts';

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
