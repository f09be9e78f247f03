/**
 * The three outcomes. Never two: "failed" hides whether the target or the test was at fault.
 * @module
 */

/**
 * The state of the token, as the user knew it when it sent the request. All times on one monotonic
 * clock, milliseconds.
 */
export interface TokenState {
  /** When the target said the token ends. */
  readonly expiresAtMs: number;
  /** When a logout with this token was first sent. */
  readonly revokeSentAtMs?: number;
  /**
   * From when on the target has promised to refuse it: the answer 200, or the end of
   * `complete_within_ms` of a 202.
   */
  readonly deadFromMs?: number;
  /** When the target first said that the logout is durable: its answer 200 or 202. */
  readonly revokedAtMs?: number;
  /**
   * When a worker, by its name, first answered with a refusal after the logout had been sent: that
   * worker must not accept it again.
   */
  readonly refusedAtMs?: ReadonlyMap<string, number>;
  /** When the refresh token that is sent was sent for the first time; absent when that is now. */
  readonly refreshFirstSentAtMs?: number | undefined;
}

/** Purpose of a request. */
export type Task = 'register' | 'login' | 'protected' | 'verify' | 'refresh' | 'logout';

/** A request and its answer, as far as they decide the outcome. */
export interface Exchange {
  readonly task: Task;
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** Absent when no answer came. */
  readonly status?: number;
  /** `code` of a problem answer, or the name of the transport failure. */
  readonly code?: string;
  /** Flaw of an answer whose status is right. */
  readonly flaw?: string;
  /** Worker that answered, where the target names its workers. */
  readonly worker?: string;
  /** State of the token the request carried, when the answer came. */
  readonly token?: TokenState;
}

/** Breaches of the promise about a token. */
export type Breach = 'accepted after promise' | 'accepted after refusal';

/** An outcome with a name to count it under. */
export interface Outcome {
  readonly kind: 'ok' | 'expected' | 'real';
  readonly name: string;
  /** A revoked token was accepted when it must not have been. */
  readonly breach?: Breach;
  /** No answer came at all. */
  readonly isUnanswered?: true;
}

/**
 * A token may be refused as expired this much early or late: the clock of the target is not ours.
 */
export const expiryToleranceMs = 2000;

/**
 * For so long a used refresh token must still yield its successor (the target's default; the target
 * starts to count later than the user).
 */
const refreshGraceMs = 10_000;

/**
 * Whether a refresh token that is sent again, as after a lost answer, may be taken for a stolen one,
 * or get another successor, by the time it is answered: a slow target reads it after the grace
 * (RFC 9700 section 4.14.2).
 */
export const mayBeTheft = (token: TokenState | undefined, answeredAtMs: number): boolean =>
  answeredAtMs - (token?.refreshFirstSentAtMs ?? answeredAtMs) > refreshGraceMs;

const ok: Outcome = { kind: 'ok', name: 'ok' };

const successStatuses: Readonly<Record<Task, readonly number[]>> = {
  register: [201],
  login: [200],
  protected: [200],
  verify: [200],
  refresh: [200],
  logout: [200, 202],
};

/**
 * Tasks that carry something a logout makes invalid: its refusal needs an excuse, its acceptance
 * must not come too late.
 */
const carriesToken: ReadonlySet<Task> = new Set(['protected', 'verify', 'refresh', 'logout']);

/**
 * Refusals that a logout does not excuse: the user sends its newest refresh token, so the target is
 * at fault.
 */
const refreshMixUps: ReadonlySet<string | undefined> = new Set([
  'refresh_reused',
  'refresh_superseded',
  'refresh_expired',
]);

/** Whether an answer refuses a token as such. */
export const isRefusal = ({ status, code }: Pick<Exchange, 'status' | 'code'>): boolean =>
  status === 401 && code !== 'token_expired';

/** A logout does not excuse its own refusal, only that of a later one. */
const isExcusedByRevoke = ({ task, token, code, sentAtMs, answeredAtMs }: Exchange): boolean => {
  const revokeSentAtMs = token?.revokeSentAtMs ?? Number.POSITIVE_INFINITY;
  if (task === 'refresh' && refreshMixUps.has(code)) return false;
  return task === 'logout' ? revokeSentAtMs < sentAtMs : revokeSentAtMs <= answeredAtMs;
};

const refusedToken = (exchange: Exchange, name: string): Outcome => {
  const { token, answeredAtMs, code } = exchange;
  if (isExcusedByRevoke(exchange)) return { kind: 'expected', name };
  if (code === 'token_expired' && token !== undefined && answeredAtMs >= token.expiresAtMs - expiryToleranceMs)
    return { kind: 'expected', name };
  if (code === 'refresh_reused' && mayBeTheft(token, answeredAtMs)) return { kind: 'expected', name };
  return { kind: 'real', name: `${name} (live token refused)` };
};

/**
 * Names the promise that an acceptance breaks.
 *
 * Workers learn of a revocation one after the other, so before it is promised one may accept a
 * token that another has refused already: with a 202 until `complete_within_ms` has passed. A
 * single worker only ever learns of revocations, so one that has refused must not accept again
 * though nothing was promised, as after a logout whose answer was lost; while a 202 is pending that
 * is not judged, and where workers are not told apart neither.
 */
const breachOf = ({ token, worker, sentAtMs }: Exchange): Breach | undefined => {
  if (token?.deadFromMs !== undefined) return token.deadFromMs <= sentAtMs ? 'accepted after promise' : undefined;
  const refusedAtMs = worker === undefined ? undefined : token?.refusedAtMs?.get(worker);
  return refusedAtMs !== undefined && refusedAtMs <= sentAtMs ? 'accepted after refusal' : undefined;
};

const breachNames: Readonly<Record<Breach, string>> = {
  'accepted after promise': 'dead token accepted',
  'accepted after refusal': 'refused token accepted again',
};

/** Judges the acceptance of a token. */
const acceptedToken = (exchange: Exchange): Outcome => {
  const { task, status, token, sentAtMs } = exchange;
  const breach = breachOf(exchange);
  if (breach !== undefined) return { kind: 'real', name: `${status} (${breachNames[breach]})`, breach };
  // A refresh token outlives the access token whose end is known.
  if (task !== 'refresh' && token !== undefined && sentAtMs > token.expiresAtMs + expiryToleranceMs)
    return { kind: 'real', name: `${status} (expired token accepted)` };
  return ok;
};

/** Sorts an exchange. Pure: everything it needs is passed in. */
export const outcomeOf = (exchange: Exchange): Outcome => {
  const { task, status, code, flaw } = exchange;
  if (status === undefined) return { kind: 'real', name: `no answer: ${code ?? 'unknown'}`, isUnanswered: true };
  const name = code === undefined ? String(status) : `${status} ${code}`;
  if (successStatuses[task].includes(status)) {
    // A logout may be repeated: it is no acceptance.
    const accepted = carriesToken.has(task) && task !== 'logout' ? acceptedToken(exchange) : ok;
    if (accepted.kind !== 'ok') return accepted;
    if (flaw !== undefined) return { kind: 'real', name: `${status} (${flaw})` };
    return status === 202 ? { kind: 'ok', name: '202 pending' } : ok;
  }
  if (status === 401 && carriesToken.has(task)) return refusedToken(exchange, name);
  return { kind: 'real', name };
};
