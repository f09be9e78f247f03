/**
 * A reference model of one session's refresh tokens, to which the contract suite compares every
 * engine. It knows no rows: only which token is the newest, which one asked for it, and when.
 * @module
 */
import fc from 'fast-check';

/** One use: of the token with this number (modulo those issued), so long after the use before. */
export const useOfToken = fc.record({
  token: fc.nat(12),
  afterMs: fc.constantFrom(0, 1, 5000, 10_000, 10_001, 30_000, 99_999),
});

/** What a use must come to. */
interface Expected {
  readonly outcome: string;
  /** The token that a replay gets. */
  readonly successor?: number;
}

/** The tokens of one session by number, in the order of issue. */
export class RefreshModel {
  readonly #graceMs: number;
  readonly #lifetimeMs: number;
  /** When each expires. */
  readonly #expiresAtMs: number[];
  /** When each that asked for another one last did so. */
  readonly #askedAtMs = new Map<number, number>();
  readonly #superseded = new Set<number>();
  #newest = 0;
  #newestAskedBy: number | undefined;
  #hasEnded = false;

  /** The first token is issued at 1000. */
  constructor(graceMs: number, lifetimeMs: number) {
    this.#graceMs = graceMs;
    this.#lifetimeMs = lifetimeMs;
    this.#expiresAtMs = [1000 + lifetimeMs];
  }

  /** How many tokens have been issued: the number of the next one. */
  get issued(): number {
    return this.#expiresAtMs.length;
  }

  /** Uses a token. Call {@link RefreshModel.issue} when it gets another one. */
  use(token: number, nowMs: number): Expected {
    if (this.#hasEnded) return { outcome: 'session_ended' };
    const isExpired = nowMs >= (this.#expiresAtMs[token] ?? 0);
    if (token === this.#newest) return { outcome: isExpired ? 'refresh_expired' : 'rotated' };
    const askedAtMs = this.#askedAtMs.get(token) ?? Number.NEGATIVE_INFINITY;
    const isRecent = nowMs - askedAtMs <= this.#graceMs && !this.#superseded.has(token);
    if (token === this.#newestAskedBy) {
      if (isRecent) return { outcome: 'replayed', successor: this.#newest };
      return { outcome: isExpired ? 'refresh_expired' : 'reissued' };
    }
    if (isRecent) return { outcome: 'refresh_superseded' };
    this.#hasEnded = true;
    return { outcome: 'refresh_reused' };
  }

  /** Issues the next token to the bearer of another one. */
  issue(to: number, nowMs: number): void {
    if (to === this.#newestAskedBy) this.#superseded.add(this.#newest);
    this.#askedAtMs.set(to, nowMs);
    this.#newestAskedBy = to;
    this.#newest = this.issued;
    this.#expiresAtMs.push(nowMs + this.#lifetimeMs);
  }
}
