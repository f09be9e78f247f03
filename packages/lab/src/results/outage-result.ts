/**
 * Phases and recoveries of an outage run in the result.
 * @module
 */
import type { Verdict } from './verdict.ts';
import type { WindowResult } from './window-result.ts';

/** A phase of such a run. A request belongs to the phase in which it was sent. */
export interface PhaseResult {
  readonly name: string;
  /** Users still start; nothing has been broken yet; something is broken; it has healed. */
  readonly kind: 'starting' | 'before' | 'outage' | 'after';
  /** The broken subject; `null` in a quiet phase. */
  readonly subject: 'redis' | 'postgres' | 'other' | null;
  readonly window: WindowResult;
  readonly errors: readonly {
    readonly kind: 'expected' | 'real';
    readonly method: string;
    readonly endpoint: string;
    readonly error: string;
    readonly occurrences: number;
  }[];
  /** Answers 200 and 202 to logouts. */
  readonly logouts: { readonly completed: number; readonly pending: number };
  /**
   * Real failures of requests that were in flight when the next outage began: counted here, judged
   * there.
   */
  readonly cut: number;
  /**
   * Checks of tokens sent within the lease while the database was away, and those that its going
   * cut; `null` in other phases.
   */
  readonly leased_checks: { readonly requests: number; readonly real: number } | null;
  /**
   * Those of the real failures that are the answer a service must give without its database; `null`
   * in other phases.
   */
  readonly refused_as_designed: number | null;
  readonly violations: number;
  readonly verdicts: readonly Verdict[];
  /** Stricter than the verdicts; they fail nothing. */
  readonly aims: readonly Verdict[];
}

/** An outage, and how long the target took to be as before. */
export interface RecoveryResult {
  readonly name: string;
  readonly subject: 'redis' | 'postgres' | 'other';
  /** Seconds from the start of the run. */
  readonly begun_s: number;
  /** `null`: it did not heal before the end. */
  readonly healed_s: number | null;
  /** For so long it was watched after its healing. */
  readonly watched_s: number | null;
  readonly failures: number;
  /**
   * Healing until the sending of the last real failure; 0 when there was none, `null` when nothing
   * was sent.
   */
  readonly failures_end_ms: number | null;
  readonly logouts: number;
  /**
   * Healing until the first moment from which on, for two seconds, no logout took longer than
   * usual; at least that where `not_judged` is set.
   */
  readonly logouts_usual_ms: number | null;
  /** Why that moment is not known. */
  readonly not_judged: string | null;
  readonly verdicts: readonly Verdict[];
}

/** All of it. */
export interface OutageResult {
  /**
   * As the command line says: so long a process of the target accepts tokens without the database.
   */
  readonly lease_s: number;
  /**
   * Checks sent so long after the beginning of an outage of the database are judged: the lease
   * without its last 0.2 s.
   */
  readonly judged_lease_s: number;
  /**
   * Longest usual time of a logout: three times its p99 before the first outage, at least 25 ms;
   * `null` with too few logouts.
   */
  readonly usual_logout_ms: number | null;
  /** Outages that were left out because their subject was not declared. */
  readonly left_out: readonly string[];
  readonly phases: readonly PhaseResult[];
  readonly recoveries: readonly RecoveryResult[];
}
