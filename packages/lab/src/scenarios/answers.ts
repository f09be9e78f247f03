/**
 * The content of the target's answers for a user, and the faults of an answer whose status is
 * right.
 *
 * The target is a black box: nothing it sends may end the run, so nothing here throws.
 * @module
 */
import type { Task } from '../measures/outcome.ts';
import { readObject } from '../targets/problem-code.ts';

/** Tokens from a login or a refresh. */
export interface Grant {
  /** The access token. */
  readonly value: string;
  readonly refreshToken: string | undefined;
  /** `Infinity` when the target does not say. */
  readonly expiresInSeconds: number;
  readonly sessionId: string | undefined;
}

/** Reads the answer to a login or a refresh; `undefined` when there is no access token in it. */
export const readGrant = (text: string): Grant | undefined => {
  const { access_token: value, refresh_token: refresh, expires_in: seconds, session_id: sessionId } = readObject(text);
  if (typeof value !== 'string' || !/^[\x21-\x7e]+$/.test(value)) return undefined;
  return {
    value,
    refreshToken: typeof refresh === 'string' && refresh !== '' ? refresh : undefined,
    expiresInSeconds: typeof seconds === 'number' ? seconds : Number.POSITIVE_INFINITY,
    sessionId: typeof sessionId === 'string' && sessionId !== '' ? sessionId : undefined,
  };
};

/**
 * Milliseconds within which a pending revocation completes; `undefined` when the answer does not
 * say.
 */
export const readPendingMs = (text: string): number | undefined => {
  const { complete_within_ms: pendingMs } = readObject(text);
  return typeof pendingMs === 'number' && pendingMs >= 0 ? pendingMs : undefined;
};

/**
 * The fault of an answer whose status is right, in words; `undefined` when there is none.
 * @param sessionId session of the token that the request carried, where it is known
 */
export const flawOf = (task: Task, status: number, text: string, sessionId: string | undefined): string | undefined => {
  if (task === 'login' && status === 200 && readGrant(text) === undefined) return 'no access token in the answer';
  if (task === 'refresh' && status === 200) {
    const grant = readGrant(text);
    if (grant === undefined) return 'no access token in the answer';
    if (grant.refreshToken === undefined) return 'no refresh token in the answer';
    if (sessionId !== undefined && grant.sessionId !== undefined && grant.sessionId !== sessionId)
      return 'tokens of another session';
  }
  if (task === 'logout' && status === 202 && readPendingMs(text) === undefined)
    return 'pending without complete_within_ms';
  // By text, not parsed: this runs for most requests of a run.
  if (task === 'protected' && status === 200 && sessionId !== undefined && text.includes('"sid"'))
    return text.includes(sessionId) ? undefined : 'claims of another session';
  return undefined;
};
