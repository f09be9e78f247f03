/**
 * The three outcomes. Never two: "failed" hides whether the target or the test was at fault.
 * @module
 */

/** What the user knew of its token when it sent the request. All times on one monotonic clock, milliseconds. */
export interface TokenState {
  /** When the target said the token ends. */
  readonly expiresAtMs: number;
  /** When a logout with this token was first sent. */
  readonly revokeSentAtMs?: number;
  /** From when on the target has promised to refuse it: the answer 200, or the end of `complete_within_ms` of a 202. */
  readonly deadFromMs?: number;
  /** When a refusal of the token, after its logout had been sent, was first answered: it must not be accepted again. */
  readonly refusedAtMs?: number;
}

/** A request and its answer, as far as they decide the outcome. */
export interface Exchange {
  readonly task: 'register' | 'login' | 'protected' | 'logout';
  readonly sentAtMs: number;
  readonly answeredAtMs: number;
  /** Absent when no answer came. */
  readonly status?: number;
  /** `code` of a problem answer, or the name of the transport failure. */
  readonly code?: string;
  /** What is wrong with an answer whose status is right. */
  readonly flaw?: string;
  /** State of the token the request carried, when the answer came. */
  readonly token?: TokenState;
}

/** An outcome with a name to count it under. */
export interface Outcome {
  readonly kind: 'ok' | 'expected' | 'real';
  readonly name: string;
  /** A revoked token was accepted in a request sent after its revocation was promised, or after it had been refused. */
  readonly isViolation?: true;
  /** No answer came at all. */
  readonly isUnanswered?: true;
}

/** A token may be refused as expired this much early or late: the clock of the target is not ours. */
const expiryToleranceMs = 2000;

const ok: Outcome = { kind: 'ok', name: 'ok' };

const successStatuses: Readonly<Record<Exchange['task'], readonly number[]>> = {
  register: [201],
  login: [200],
  protected: [200],
  logout: [200, 202],
};

/** A logout does not excuse its own refusal, only that of a later one. */
const isExcusedByRevoke = ({ task, token, sentAtMs, answeredAtMs }: Exchange): boolean => {
  const revokeSentAtMs = token?.revokeSentAtMs ?? Number.POSITIVE_INFINITY;
  return task === 'logout' ? revokeSentAtMs < sentAtMs : revokeSentAtMs <= answeredAtMs;
};

const refusedToken = (exchange: Exchange, name: string): Outcome => {
  const { token, answeredAtMs, code } = exchange;
  if (isExcusedByRevoke(exchange)) return { kind: 'expected', name };
  if (code === 'token_expired' && token !== undefined && answeredAtMs >= token.expiresAtMs - expiryToleranceMs)
    return { kind: 'expected', name };
  return { kind: 'real', name: `${name} (live token refused)` };
};

/** Judges the acceptance of a token. */
const acceptedToken = ({ status, token, sentAtMs }: Exchange): Outcome => {
  const isSentAfter = (atMs: number | undefined): boolean => atMs !== undefined && atMs <= sentAtMs;
  if (isSentAfter(token?.deadFromMs))
    return { kind: 'real', name: `${status} (dead token accepted)`, isViolation: true };
  if (isSentAfter(token?.refusedAtMs))
    return { kind: 'real', name: `${status} (refused token accepted again)`, isViolation: true };
  if (token !== undefined && sentAtMs > token.expiresAtMs + expiryToleranceMs)
    return { kind: 'real', name: `${status} (expired token accepted)` };
  return ok;
};

/** Sorts an exchange. Pure: everything it needs is passed in. */
export const outcomeOf = (exchange: Exchange): Outcome => {
  const { task, status, code, flaw } = exchange;
  if (status === undefined) return { kind: 'real', name: `no answer: ${code ?? 'unknown'}`, isUnanswered: true };
  const name = code === undefined ? String(status) : `${status} ${code}`;
  if (successStatuses[task].includes(status)) {
    const accepted = task === 'protected' ? acceptedToken(exchange) : ok;
    if (accepted.kind !== 'ok') return accepted;
    if (flaw !== undefined) return { kind: 'real', name: `${status} (${flaw})` };
    return status === 202 ? { kind: 'ok', name: '202 pending' } : ok;
  }
  if (status === 401 && (task === 'protected' || task === 'logout')) return refusedToken(exchange, name);
  return { kind: 'real', name };
};
