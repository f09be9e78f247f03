/**
 * Errors, expected and real, counted by endpoint and name.
 * @module
 */
import type { Measured } from './measured.ts';

/** Counted occurrences of one error. */
export interface ErrorCount {
  readonly kind: 'expected' | 'real';
  readonly method: string;
  readonly endpoint: string;
  readonly error: string;
  occurrences: number;
  /** Unix seconds. */
  readonly firstSeen: number;
  lastSeen: number;
}

/** Most different errors that are told apart; what comes after is counted under one name. */
const errorsMax = 1000;

/** Counts errors. */
export class ErrorCounts {
  readonly #counts = new Map<string, ErrorCount>();
  readonly #errorsMax: number;

  constructor(errorsAtMost = errorsMax) {
    this.#errorsMax = errorsAtMost;
  }

  /** All of them, the most frequent first. */
  get all(): readonly ErrorCount[] {
    return [...this.#counts.values()].sort((a, b) => b.occurrences - a.occurrences);
  }

  /** Takes a request that has ended; one whose outcome is ok is no error. */
  record({ method, name: endpoint, outcome: { kind, name } }: Measured): void {
    if (kind === 'ok') return;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const error = this.#counts.size < this.#errorsMax ? name : 'other errors';
    const key = `${kind} ${method} ${endpoint} ${error}`;
    const known = this.#counts.get(key);
    if (known === undefined) {
      const count = { kind, method, endpoint, error, occurrences: 1, firstSeen: nowSeconds, lastSeen: nowSeconds };
      this.#counts.set(key, count);
      return;
    }
    known.occurrences += 1;
    known.lastSeen = nowSeconds;
  }

  /** Adds what another process has counted. */
  absorb(count: ErrorCount): void {
    const { kind, method, endpoint, error, occurrences, firstSeen, lastSeen } = count;
    const key = `${kind} ${method} ${endpoint} ${error}`;
    const known = this.#counts.get(key);
    if (known === undefined) {
      if (this.#counts.size < this.#errorsMax + 1) this.#counts.set(key, { ...count });
      return;
    }
    this.#counts.set(key, {
      ...known,
      occurrences: known.occurrences + occurrences,
      firstSeen: Math.min(known.firstSeen, firstSeen),
      lastSeen: Math.max(known.lastSeen, lastSeen),
    });
  }
}
