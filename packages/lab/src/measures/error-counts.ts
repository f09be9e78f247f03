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
  readonly occurrences: number;
  /** When the first and the last of them were answered or given up, on the monotonic clock. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
}

/** Most distinct errors; later ones are counted under one name per endpoint. */
const errorsMax = 1000;
const otherErrors = 'other errors';

type Writable = { -readonly [Key in keyof ErrorCount]: ErrorCount[Key] };

/** Counts errors. */
export class ErrorCounts {
  readonly #counts = new Map<string, Writable>();
  readonly #errorsMax: number;

  constructor(errorsAtMost = errorsMax) {
    this.#errorsMax = errorsAtMost;
  }

  /** All of them, the most frequent first. */
  get all(): readonly ErrorCount[] {
    return [...this.#counts.values()].sort((a, b) => b.occurrences - a.occurrences);
  }

  /**
   * Takes a request that has ended; one whose outcome is ok is no error.
   * @param endpoint name under which the request was counted
   */
  record({ method, outcome: { kind, name }, answeredAtMs }: Measured, endpoint: string): void {
    if (kind !== 'ok') this.#add(kind, method, endpoint, name, 1, answeredAtMs, answeredAtMs);
  }

  /** Adds the counts of another one. @param clockMs from the clock there to ours, milliseconds */
  absorb({ kind, method, endpoint, error, occurrences, firstSeenMs, lastSeenMs }: ErrorCount, clockMs = 0): void {
    this.#add(kind, method, endpoint, error, occurrences, firstSeenMs + clockMs, lastSeenMs + clockMs);
  }

  #add(
    kind: ErrorCount['kind'],
    method: string,
    endpoint: string,
    error: string,
    occurrences: number,
    firstSeenMs: number,
    lastSeenMs: number,
  ): void {
    // Names have spaces in them: joined by one, two errors could be taken for each other.
    const key = `${kind}\0${method}\0${endpoint}\0${error}`;
    const known = this.#counts.get(key);
    if (known !== undefined) {
      known.occurrences += occurrences;
      known.firstSeenMs = Math.min(known.firstSeenMs, firstSeenMs);
      known.lastSeenMs = Math.max(known.lastSeenMs, lastSeenMs);
    } else if (this.#counts.size < this.#errorsMax || error === otherErrors)
      this.#counts.set(key, { kind, method, endpoint, error, occurrences, firstSeenMs, lastSeenMs });
    else this.#add(kind, method, endpoint, otherErrors, occurrences, firstSeenMs, lastSeenMs);
  }
}
