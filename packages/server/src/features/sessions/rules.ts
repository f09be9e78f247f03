/**
 * When a session may be opened and go on, what a second use of a refresh token means, and which
 * sessions are too many.
 *
 * The deciding statements of the engines hold the same conditions as SQL, because they check and
 * change in one step. What such a statement did not do is judged here, so that every engine gives
 * the same reason.
 * @module
 */
import type { AuditAct } from '../audit/store.ts';
import type { OpeningRefusal, Rotation, SessionRefusal } from './store.ts';

/** Whether an account and its tenant may have sessions. */
export interface Standing {
  readonly accountStatus: string;
  readonly tenantStatus: string;
}

const standingRefusal = ({ accountStatus, tenantStatus }: Standing): OpeningRefusal | undefined => {
  if (tenantStatus !== 'active') return 'tenant_suspended';
  return accountStatus === 'active' ? undefined : 'account_disabled';
};

/**
 * Why a sign-in opened no session.
 * @param standing of the account; `undefined`: the account is gone
 */
export const openingRefusal = (standing: Standing | undefined): OpeningRefusal =>
  (standing && standingRefusal(standing)) ?? 'password_changed';

/**
 * Why a password change changed nothing.
 * @param standing of the account; `undefined`: the account is gone
 * @param isAskingLive whether the session that asked has not ended
 */
export const passwordChangeRefusal = (
  standing: Standing | undefined,
  isAskingLive: boolean,
): SessionRefusal | 'password_changed' =>
  (standing && standingRefusal(standing)) ?? (isAskingLive ? 'password_changed' : 'session_ended');

/**
 * The successor of a refresh token. `none`: the token is unused, or another token took its place
 * before it was used. A successor whose row is not kept any more counts as used.
 */
export type Successor = 'none' | 'unused' | 'used';

/** A refresh token, with everything that decides about it. */
export interface PresentedToken extends Standing {
  readonly expiresAtMs: number;
  /** `null`: it has not been used. */
  readonly usedAtMs: number | null;
  /** Its successor, encrypted; `null` before the use, and again once the grace window is over. */
  readonly successorBox: Uint8Array | null;
  readonly successor: Successor;
  /** When its session ended. */
  readonly endedAtMs: number | null;
  /** Epochs of account and tenant when the session was opened. */
  readonly accountEpoch: number;
  readonly tenantEpoch: number;
  readonly currentAccountEpoch: number;
  readonly currentTenantEpoch: number;
}

/** What a presented refresh token is worth. */
export type Judgement =
  | { readonly outcome: 'usable' }
  /**
   * Used a moment ago, and the successor is unused: the client has lost the answer, or asks twice
   * at once.
   */
  | { readonly outcome: 'replayed'; readonly successorBox: Uint8Array }
  /**
   * Used longer ago, and the successor is unused: the client never got the answer. It gets another
   * successor, and the unused one is superseded.
   */
  | { readonly outcome: 'answer_lost' }
  /** The token may be stolen (RFC 9700 section 4.14.2). Its session must end. */
  | { readonly outcome: 'refresh_reused'; readonly theft: Theft }
  | { readonly outcome: SessionRefusal | 'refresh_expired' | 'refresh_superseded' };

/**
 * Judges a refresh token that is known. When a client and a thief hold the same token, the later of
 * the two reveals the theft: it presents a token whose successor is in use, or one that was
 * superseded.
 * @param rotation the clock of the process that asks, and how long a replay is forgiven
 */
export const judgeToken = (
  token: PresentedToken,
  { nowMs, graceMs }: Pick<Rotation, 'nowMs' | 'graceMs'>,
): Judgement => {
  const refusal = standingRefusal(token);
  if (refusal === 'tenant_suspended' || refusal === 'account_disabled') return { outcome: refusal };
  const { accountEpoch, tenantEpoch, currentAccountEpoch, currentTenantEpoch } = token;
  const isOutdated = accountEpoch !== currentAccountEpoch || tenantEpoch !== currentTenantEpoch;
  if (token.endedAtMs !== null || isOutdated) return { outcome: 'session_ended' };
  const isExpired = token.expiresAtMs <= nowMs;
  if (token.usedAtMs === null) return { outcome: isExpired ? 'refresh_expired' : 'usable' };
  if (token.successor === 'none') return { outcome: 'refresh_reused', theft: 'superseded_used' };
  // In either direction: a clock that was set back must not open the window again.
  const isForgiven = Math.abs(nowMs - token.usedAtMs) <= graceMs;
  if (token.successor === 'used')
    return isForgiven ? { outcome: 'refresh_superseded' } : { outcome: 'refresh_reused', theft: 'refresh_reused' };
  if (isForgiven && token.successorBox !== null) return { outcome: 'replayed', successorBox: token.successorBox };
  return { outcome: isExpired ? 'refresh_expired' : 'answer_lost' };
};

/** Whether a refresh token would rotate now. */
export const isUsable = (token: PresentedToken, nowMs: number): boolean =>
  judgeToken(token, { nowMs, graceMs: 0 }).outcome === 'usable';

/**
 * Used refresh tokens that a session keeps, so that a replay is recognised as theft: those of its
 * lifetime of a week, refreshed every 15 minutes, and half as many again. A replay of an older one
 * is refused as unknown. Without a bound, a client that refreshes in a loop fills the disk.
 */
export const usedTokensMax = 1000;

/** How a theft shows, and what the audit trail says of it. */
export const thefts = {
  refresh_reused: { event: 'authn_token_reuse', reason: 'refresh_reused' },
  superseded_used: { event: 'authn_token_reuse', reason: 'superseded_used' },
} as const satisfies Readonly<Record<string, AuditAct>>;

/** How a theft shows. */
export type Theft = keyof typeof thefts;

/** What the audit trail says of a token that gets another successor. */
export const lostAnswer = { event: 'authn_token_reuse', reason: 'answer_lost' } as const satisfies AuditAct;

/**
 * How long a session is kept after its end or its expiry, milliseconds: so long a replay of its
 * refresh tokens is recognised.
 */
export const sessionKeepMs = 24 * 3600 * 1000;

/**
 * Most sessions that one sign-in ends because the account has too many: bounds its transaction
 * where the limit has just been lowered. The next sign-in goes on.
 */
export const displacedMax = 100;

/**
 * How many sessions a sign-in displaces.
 * @param unended sessions of the account that have not ended, the new one among them
 * @param sessionsMax most sessions that the account may have
 */
export const displacedCount = (unended: number, sessionsMax: number): number =>
  Math.min(displacedMax, Math.max(0, unended - sessionsMax));

/** What the audit trail says of a new session, by what opened it. */
export const sessionOpenings = {
  password: { event: 'authn_login_success', reason: 'password' },
  password_change: { event: 'authn_login_success', reason: 'password_change' },
} as const satisfies Readonly<Record<string, AuditAct>>;

/** What opens a session. */
export type SessionOpening = keyof typeof sessionOpenings;

/** What the audit trail says of an act that ends sessions, by the reason that the sessions keep. */
export const sessionEnds = {
  logout: { event: 'authn_token_revoked', reason: 'logout' },
  logout_all: { event: 'authn_token_revoked', reason: 'logout_all' },
  revoked: { event: 'session_expired', reason: 'revoked' },
  limit: { event: 'session_expired', reason: 'limit' },
  signed_out: { event: 'session_expired', reason: 'signed_out' },
  password_changed: { event: 'authn_password_change', reason: 'changed' },
  refresh_reused: { event: 'authn_token_reuse', reason: 'refresh_reused' },
  account_disabled: { event: 'user_updated', reason: 'disabled' },
} as const satisfies Readonly<Record<string, AuditAct>>;

/** Why a session ended, as its row keeps it. */
export type SessionEndReason = keyof typeof sessionEnds;

/**
 * Ends of all sessions of an account at once. A session that ended so may ask for it again, because
 * its client may have lost the answer. One that ended alone may not end the others.
 */
export const commonEnds = [
  'logout_all',
  'signed_out',
  'password_changed',
  'account_disabled',
] as const satisfies readonly SessionEndReason[];
