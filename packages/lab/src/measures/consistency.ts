/**
 * The consistency checker: every token is a register that goes one way, from valid to revoked.
 *
 * A violation is an acceptance in a request *sent after* the revocation was promised (a logout's 200, or the end of a 202's
 * `complete_within_ms`), or an acceptance sent after an earlier refusal of the same revoked token had been answered.
 * One monotonic clock for all times, so no clock skew can hide or invent one. Linear in the number of exchanges.
 * @module
 */
import type { Exchange } from './outcome.ts';

/** One line of a violation's timeline. */
export interface TimelineEvent {
  readonly atMs: number;
  readonly what: string;
}

/** A token that was accepted when it must not have been. */
export interface Violation {
  readonly token: number;
  readonly rule: 'accepted after promise' | 'accepted after refusal';
  readonly timeline: readonly TimelineEvent[];
}

interface History {
  readonly issuedAtMs: number;
  readonly events: TimelineEvent[];
  /** When a refusal of the revoked token was first answered. */
  refusedAtMs?: number;
  isRevoked?: true;
}

/** Events kept per token: a timeline of the last ones is what a reader needs. */
const eventsMax = 32;
/** Violations kept whole; all are counted. */
const violationsKept = 100;

/** Follows all tokens of a run. */
export class ConsistencyChecker {
  readonly violations: Violation[] = [];
  violationCount = 0;
  /** Requests sent with a token after its revocation was promised: how often the promise was put to the test. */
  deadChecks = 0;
  /** Tokens whose revocation was promised. */
  revokedTokens = 0;

  readonly #histories = new Map<number, History>();
  #nextSerial = 0;

  /** Enters a new token. Returns its number in the run. */
  issue(issuedAtMs: number): number {
    const serial = this.#nextSerial++;
    this.#histories.set(serial, { issuedAtMs, events: [] });
    return serial;
  }

  /** Forgets a token that its user has let go of and will never send again. */
  release(serial: number): void {
    this.#histories.delete(serial);
  }

  /** Takes an exchange that carried the token. */
  observe(serial: number, exchange: Exchange): void {
    const history = this.#histories.get(serial);
    if (history === undefined) return;
    const { task, status, code, sentAtMs, answeredAtMs, token } = exchange;
    const answer = status === undefined ? `no answer (${code})` : `${status}${code === undefined ? '' : ` ${code}`}`;
    history.events.push(
      { atMs: sentAtMs, what: `${task} sent` },
      { atMs: answeredAtMs, what: `${task} answered ${answer}` },
    );
    if (history.events.length > eventsMax) history.events.splice(0, 2);
    if (task === 'logout' && (status === 200 || status === 202) && history.isRevoked === undefined) {
      history.isRevoked = true;
      this.revokedTokens += 1;
    }
    if (task !== 'protected') return;
    const deadFromMs = token?.deadFromMs;
    const isDead = deadFromMs !== undefined && deadFromMs <= sentAtMs;
    if (isDead) this.deadChecks += 1;
    if (status === 200 && isDead) this.#violate(serial, history, 'accepted after promise');
    else if (status === 200 && (history.refusedAtMs ?? Number.POSITIVE_INFINITY) <= sentAtMs)
      this.#violate(serial, history, 'accepted after refusal');
    else if (status === 401 && code !== 'token_expired' && token?.revokeSentAtMs !== undefined)
      history.refusedAtMs ??= answeredAtMs;
  }

  #violate(token: number, { issuedAtMs, events }: History, rule: Violation['rule']): void {
    this.violationCount += 1;
    if (this.violations.length >= violationsKept) return;
    const timeline = [{ atMs: issuedAtMs, what: 'token issued' }, ...events].sort((a, b) => a.atMs - b.atMs);
    this.violations.push({ token, rule, timeline });
  }
}
