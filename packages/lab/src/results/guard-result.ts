/**
 * What was seen at guarded APIs, in the result.
 * @module
 */
import type { TimesResult } from './window-result.ts';

/**
 * How a guard checks tokens. `strict`: a logout is answered 200 once it refuses; `follow`: it refuses
 * within 1.1 of its leases; `ask`: it asks the service for each request.
 */
export const guardModes = ['strict', 'follow', 'ask'] as const;

/** One of {@link guardModes}. */
export type GuardMode = (typeof guardModes)[number];

/** Answers of a guarded API to requests with tokens in one state. */
export interface GuardAnswers {
  readonly tried: number;
  /** 2xx. */
  readonly accepted: number;
  /** 401. */
  readonly refused: number;
  /** 503: no verdict was to be had. */
  readonly unavailable: number;
  /** Any other status, or no answer. */
  readonly other: number;
}

/** One guarded API. */
export interface GuardResult {
  readonly url: string;
  readonly mode: GuardMode;
  /** Requests that were sent after the token's revocation had been promised. */
  readonly dead: GuardAnswers;
  /** Of `dead.accepted`, those that break the promise. A guard that follows has 1.1 leases. */
  readonly violations: number;
  /** Requests that were answered before the token's logout was sent. Each refusal is a violation, too. */
  readonly live: GuardAnswers;
  /** Logout answered 200 until the guard refused the token for the first time. */
  readonly first_refusal: TimesResult;
}

/** The guarded APIs of a run. */
export interface GuardsResult {
  /** Lease of the guards that follow, as it was given. */
  readonly lease_s: number;
  readonly apis: readonly GuardResult[];
}
