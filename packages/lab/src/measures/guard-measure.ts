/**
 * What a guarded API makes of tokens: each answer is sorted by the state of the token, and judged by
 * the promise of its guard's mode.
 * @module
 */
import { followedLeases } from '@catalytic/protocol/guards';
import type { GuardAnswers, GuardMode } from '../results/guard-result.ts';
import { Histogram } from '../statistics/histogram.ts';
import { expiryToleranceMs, type TokenState } from './outcome.ts';

/** A URL behind a guard. */
export interface GuardedApi {
  readonly url: string;
  readonly mode: GuardMode;
}

/** Breaches of a guard's promise. */
export type GuardBreach = 'accepted by a guard after promise' | 'live token refused by a guard';

/** An answer of a guarded API. Times on the run's monotonic clock, milliseconds. */
export interface GuardAnswer {
  /** Absent when no answer came. */
  readonly status?: number;
  readonly code?: string;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
}

/** What an answer says of the token. */
export type GuardWord = Exclude<keyof GuardAnswers, 'tried'>;

/** The lab knows when a logout was answered, which is after it took effect. */
const mustRefuseFromMs = (mode: GuardMode, leaseMs: number, { deadFromMs, revokedAtMs }: TokenState): number => {
  if (deadFromMs === undefined) return Number.POSITIVE_INFINITY;
  return mode === 'follow' ? Math.max(deadFromMs, (revokedAtMs ?? deadFromMs) + followedLeases * leaseMs) : deadFromMs;
};

const wordOf = (status: number | undefined): GuardWord => {
  if (status === undefined) return 'other';
  if (status >= 200 && status < 300) return 'accepted';
  return status === 401 ? 'refused' : status === 503 ? 'unavailable' : 'other';
};

/** The state of a token during a request; `open` when either answer is right. */
const stateOf = (token: TokenState, { sentAtMs, answeredAtMs }: GuardAnswer): 'live' | 'dead' | 'open' => {
  if (token.deadFromMs !== undefined && token.deadFromMs <= sentAtMs) return 'dead';
  const isUntouched = token.revokeSentAtMs === undefined || token.revokeSentAtMs > answeredAtMs;
  return isUntouched && answeredAtMs < token.expiresAtMs - expiryToleranceMs ? 'live' : 'open';
};

type Counts = { -readonly [Name in keyof GuardAnswers]: GuardAnswers[Name] };
const noAnswers = (): Counts => ({ tried: 0, accepted: 0, refused: 0, unavailable: 0, other: 0 });

const count = (counts: Counts, word: GuardWord): void => {
  counts.tried += 1;
  counts[word] += 1;
};

/** Counts the answers of one guarded API. */
export class GuardMeasure {
  readonly api: GuardedApi;
  readonly #leaseMs: number;
  readonly #dead = noAnswers();
  readonly #live = noAnswers();
  /** Dead tokens that it accepted against its promise. */
  violations = 0;
  /** Logout answered 200 until its first refusal. */
  readonly firstRefusal = new Histogram();

  constructor(api: GuardedApi, leaseMs: number) {
    this.api = api;
    this.#leaseMs = leaseMs;
  }

  /** Answers about tokens whose revocation had been promised when the request was sent. */
  get dead(): GuardAnswers {
    return this.#dead;
  }

  /** Answers about tokens that no logout had been sent for. */
  get live(): GuardAnswers {
    return this.#live;
  }

  /** From when on the token must be refused here; infinite while nothing was promised. */
  mustRefuseFromMs(token: TokenState): number {
    return mustRefuseFromMs(this.api.mode, this.#leaseMs, token);
  }

  /** Counts an answer about a token, whose state is that of the moment of the answer. */
  take(token: TokenState, answer: GuardAnswer): { readonly word: GuardWord; readonly breach?: GuardBreach } {
    const word = wordOf(answer.status);
    const state = stateOf(token, answer);
    if (state === 'open') return { word };
    count(state === 'dead' ? this.#dead : this.#live, word);
    if (state === 'live') return word === 'refused' ? { word, breach: 'live token refused by a guard' } : { word };
    if (word !== 'accepted' || answer.sentAtMs < this.mustRefuseFromMs(token)) return { word };
    this.violations += 1;
    return { word, breach: 'accepted by a guard after promise' };
  }
}
