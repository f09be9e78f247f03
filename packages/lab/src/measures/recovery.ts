/**
 * Recovery of a target after an outage: the time until its last failure, and until sign-outs take
 * their usual time again.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import type { Histogram } from '../statistics/histogram.ts';
import { isCutAt, type Measured } from './measured.ts';

/** A recovery is watched for so long, milliseconds, or until something is broken again. */
const watchedMsMax = 30_000;
/** Sign-outs that are kept; the watch ends where they do. */
const logoutsMax = 20_000;

/** For so long all sign-outs must take their usual time, milliseconds. */
export const usualForMs = 2000;
/**
 * A usual time is at most this factor times the p99 before the first outage. Below the minimum,
 * milliseconds, a factor is noise.
 */
const usualFactor = 3;
const usualMsMin = 25;
/**
 * Fewest sign-outs before the first outage that establish the usual time, and fewest that confirm
 * it after one.
 */
const logoutsBeforeMin = 20;
const logoutsAfterMin = 3;

/** A sign-out after a healing. */
export interface LateLogout {
  readonly sentAtMs: number;
  readonly latencyMs: number;
  /** Whether it was a real failure: that is never usual. */
  readonly isReal: boolean;
}

/**
 * Longest time that a sign-out usually takes, milliseconds; `undefined` when there were too few to
 * tell.
 */
export const usualLogoutMs = (before: Histogram | undefined): number | undefined => {
  const p99Ms = before === undefined || before.count < logoutsBeforeMin ? undefined : before.at(99);
  return p99Ms === undefined ? undefined : Math.max(usualFactor * p99Ms, usualMsMin);
};

/** When sign-outs were usual again. */
export interface UsualAgain {
  /**
   * Milliseconds from the healing to the first moment from which all of them were; at least that
   * when `isSeen` is false.
   */
  readonly afterMs: number;
  /** Whether two seconds from that moment on were watched, with enough of them in it. */
  readonly isSeen: boolean;
}

/**
 * Finds the first moment after a healing from which on every sign-out sent within the next two
 * seconds took its usual time.
 * @param logouts sent from the healing until `endsAtMs`, in any order
 */
export const usualAgain = (
  logouts: readonly LateLogout[],
  healedAtMs: number,
  endsAtMs: number,
  usualMs: number,
): UsualAgain => {
  let fromMs = healedAtMs;
  for (const { sentAtMs, latencyMs, isReal } of logouts.toSorted((a, b) => a.sentAtMs - b.sentAtMs)) {
    if (!isReal && latencyMs <= usualMs) continue;
    if (sentAtMs > fromMs + usualForMs) break;
    fromMs = sentAtMs;
  }
  // The moment begins just after the last sign-out that was too slow.
  const within = logouts.filter(
    ({ sentAtMs }) => (sentAtMs > fromMs || fromMs === healedAtMs) && sentAtMs <= fromMs + usualForMs,
  );
  return {
    afterMs: fromMs - healedAtMs,
    isSeen: fromMs + usualForMs <= endsAtMs && within.length >= logoutsAfterMin,
  };
};

/** Watches the requests after an outage. */
export class Recovery {
  readonly healedAtMs: number;
  #endsAtMs: number;
  #brokenAtMs = Number.POSITIVE_INFINITY;
  requests = 0;
  failures = 0;
  readonly logouts: LateLogout[] = [];
  #lastFailureSentAtMs: number | undefined;

  constructor(healedAtMs: number) {
    this.healedAtMs = healedAtMs;
    this.#endsAtMs = healedAtMs + watchedMsMax;
  }

  /** Until when it was watched. */
  get endsAtMs(): number {
    return this.#endsAtMs;
  }

  /**
   * The next outage has begun: requests sent from now on do not belong to this recovery, nor do
   * those that it cut.
   */
  breakOff(atMs: number): void {
    this.#brokenAtMs = Math.min(this.#brokenAtMs, atMs);
    this.end(atMs);
  }

  /** The run has ended. */
  end(atMs: number): void {
    this.#endsAtMs = Math.min(this.#endsAtMs, atMs);
  }

  record(measured: Measured): void {
    const { name, outcome, sentAtMs, answeredAtMs } = measured;
    if (sentAtMs < this.healedAtMs || sentAtMs >= this.#endsAtMs || isCutAt(measured, this.#brokenAtMs)) return;
    const isReal = outcome.kind === 'real';
    this.requests += 1;
    if (isReal) {
      this.failures += 1;
      this.#lastFailureSentAtMs = Math.max(this.#lastFailureSentAtMs ?? 0, sentAtMs);
    }
    if (name !== paths.logout) return;
    if (this.logouts.length < logoutsMax) this.logouts.push({ sentAtMs, latencyMs: answeredAtMs - sentAtMs, isReal });
    else this.end(sentAtMs);
  }

  /**
   * Milliseconds from the healing to the sending of the last request that failed; 0 when none did,
   * `undefined` when none was sent.
   */
  get lastFailureAfterMs(): number | undefined {
    if (this.requests === 0) return undefined;
    return this.#lastFailureSentAtMs === undefined ? 0 : this.#lastFailureSentAtMs - this.healedAtMs;
  }

  /** @param usualMs as {@link usualLogoutMs} says */
  usualAgain(usualMs: number): UsualAgain {
    return usualAgain(this.logouts, this.healedAtMs, this.#endsAtMs, usualMs);
  }
}
