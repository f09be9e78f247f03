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
  /** State of the token the request carried, *after* the answer came. */
  readonly token?: TokenState;
}

/** An outcome with a name to count it under. */
export interface Outcome {
  readonly kind: 'ok' | 'expected' | 'real';
  readonly name: string;
  /** A token was accepted in a request sent after its revocation was promised. */
  readonly isViolation?: true;
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

const refusedToken = ({ token, answeredAtMs, code }: Exchange, name: string): Outcome => {
  if (token?.revokeSentAtMs !== undefined && token.revokeSentAtMs <= answeredAtMs) return { kind: 'expected', name };
  if (code === 'token_expired' && token !== undefined && answeredAtMs >= token.expiresAtMs - expiryToleranceMs)
    return { kind: 'expected', name };
  return { kind: 'real', name: `${name} (live token refused)` };
};

/** Sorts an exchange. Pure: everything it needs is passed in. */
export const outcomeOf = (exchange: Exchange): Outcome => {
  const { task, status, code, token, sentAtMs } = exchange;
  if (status === undefined) return { kind: 'real', name: `no answer: ${code ?? 'unknown'}` };
  const name = code === undefined ? String(status) : `${status} ${code}`;
  if (successStatuses[task].includes(status)) {
    if (task === 'protected' && token?.deadFromMs !== undefined && token.deadFromMs <= sentAtMs)
      return { kind: 'real', name: `${status} (dead token accepted)`, isViolation: true };
    return status === 202 ? { kind: 'ok', name: '202 pending' } : ok;
  }
  if (status === 401 && (task === 'protected' || task === 'logout')) return refusedToken(exchange, name);
  return { kind: 'real', name };
};
