/**
 * The verdict of a run: on its criteria, and on the rules of its validity.
 * @module
 */

/** One criterion, judged. */
export interface Verdict {
  readonly criterion: string;
  readonly limit: number;
  /** The limit is the least that was allowed, not the most. */
  readonly at_least?: true;
  /** `null` when it could not be judged. */
  readonly measured: number | null;
  readonly verdict: 'passed' | 'failed' | 'not judged';
  /** Why the criterion could not be judged, and the remedy. */
  readonly reason?: string;
}

/** One rule of validity, judged. */
export interface ValidityCheck {
  readonly rule: string;
  readonly limit: number;
  readonly measured: number | null;
  readonly verdict: 'kept' | 'broken' | 'not judged';
}

/** Name of the rule about faults of the scenario, and of the lab. */
export const exceptionsRule = 'exceptions in the lab';
