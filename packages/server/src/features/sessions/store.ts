/**
 * Port: where sessions and their refresh tokens live.
 *
 * Every operation that decides something decides it in one atomic statement or transaction on the primary database, which also holds the row
 * of the audit trail: each session opened and each act that ends some leave one, and a repeat that ends nothing leaves none.
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Age, Purge } from '../deployment/store.ts';
import type { Recorded } from '../revocation/store.ts';

/** What the authorising statement saw: enough to mint an access token (no view, replica or cache takes part). */
export interface Grant {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly sessionId: SessionId;
  readonly accountEpoch: number;
  readonly tenantEpoch: number;
  readonly roles: readonly string[];
  /** Authentication methods (RFC 8176). */
  readonly amr: readonly string[];
  readonly authenticatedAtMs: number;
}

/** A refresh token about to be stored: its SHA-256, never the token. */
export interface NewRefreshToken {
  readonly hash: Uint8Array;
  readonly expiresAtMs: number;
}

/** A sign-in about to be stored. */
export interface NewSession {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  /** The hash the password was checked against: if it has changed meanwhile, nothing is opened. */
  readonly passwordHash: string;
  readonly amr: readonly string[];
  readonly nowMs: number;
  readonly refreshToken: NewRefreshToken;
  /** Most live sessions of the account, this one among them. */
  readonly sessionsMax: number;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** A session that was opened. */
export interface OpenedSession extends Grant {
  /** The sessions it has ended, because there were too many; absent: none. */
  readonly displaced?: Recorded;
}

/** A new password about to be stored, and the session that takes the place of all others. */
export interface PasswordChange {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  /** Session that asks. */
  readonly sessionId: SessionId;
  /** The hash the current password was checked against: if it has changed meanwhile, nothing is done. */
  readonly from: string;
  readonly to: string;
  readonly amr: readonly string[];
  readonly nowMs: number;
  readonly refreshToken: NewRefreshToken;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** One session about to end. */
export interface SessionEnd {
  readonly tenantId: TenantId;
  readonly sessionId: SessionId;
  readonly nowMs: number;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** A session about to be ended by its account, from another one or from itself. */
export interface OwnSessionEnd extends SessionEnd {
  readonly accountId: AccountId;
  /** The session that asks, for the audit trail. */
  readonly askingSessionId: SessionId;
}

/** All sessions of an account about to end. */
export interface AccountSignOut {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly nowMs: number;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** All sessions of an account about to end, as one of them asks. */
export interface SignOutEverywhere extends AccountSignOut {
  /** The session that asks. */
  readonly sessionId: SessionId;
  /** The account's epoch in the token that asks. */
  readonly seenEpoch: number;
}

/** Which live sessions are listed. */
export interface SessionsPage {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  /** Only sessions older than this one; `undefined`: from the newest on. */
  readonly before: SessionId | undefined;
  readonly rowsMax: number;
  readonly nowMs: number;
}

/** A live session, as its owner sees it. */
export interface LiveSession {
  readonly id: SessionId;
  readonly createdAtMs: number;
  readonly authenticatedAtMs: number;
  /** When its newest refresh token expires. */
  readonly expiresAtMs: number;
}

/** A refresh token presented for rotation. */
export interface Rotation {
  readonly presentedHash: Uint8Array;
  readonly successor: NewRefreshToken;
  /** The successor, encrypted under a key that only the presented token yields; kept for the grace window only. */
  readonly successorBox: Uint8Array;
  readonly nowMs: number;
  /** Longest time between the use of a token and a replay, in either direction: clocks of machines differ, and a clock can be set back. */
  readonly graceMs: number;
  /** Who asks, for the audit trail. */
  readonly by: Origin;
}

/** Why a session could not be opened or go on. */
export type SessionRefusal = 'account_disabled' | 'tenant_suspended' | 'session_ended';

/** Why a session could not be opened. */
export type OpeningRefusal = Exclude<SessionRefusal, 'session_ended'> | 'password_changed';

/** What became of a rotation. */
export type Rotated =
  /** The presented token is used up, its successor stored. */
  | { readonly outcome: 'rotated'; readonly grant: Grant }
  /** Used a moment ago and the successor is unused: the same successor again. */
  | { readonly outcome: 'replayed'; readonly grant: Grant; readonly successorBox: Uint8Array }
  /** Used, and the grace window is over: the session has been ended, and the entry journalled. */
  | { readonly outcome: 'refresh_reused'; readonly recorded: Recorded }
  | { readonly outcome: SessionRefusal | 'refresh_invalid' | 'refresh_expired' | 'refresh_superseded' };

/**
 * Where sessions live. Every engine passes `store.contract.ts`. What mints rejects with `clock_wrong` when the clock of the caller is too far
 * ahead of the database's.
 */
export interface SessionStore {
  /**
   * Opens a session if account and tenant are active and the password hash is unchanged. Where the account has more than `sessionsMax` live
   * ones then, ends and journals those too many: first what can no longer be refreshed, then the oldest. Sign-ins of one account at the
   * very same moment may leave as many too many behind; the next one ends them.
   */
  open(session: NewSession): Promise<OpenedSession | OpeningRefusal>;
  /** Up to `rowsMax` live sessions of an account, newest first. */
  list(page: SessionsPage): Promise<readonly LiveSession[]>;
  /** As {@link SessionStore.end}, for a session of this account only. */
  endOwn(end: OwnSessionEnd): Promise<Recorded | 'session_not_found'>;
  /**
   * Replaces the password hash if it is still the one that was checked and the asking session lives; raises the account's epoch, which ends
   * every session, journals it, and opens a new session. All of it or nothing.
   */
  changePassword(
    change: PasswordChange,
  ): Promise<{ readonly grant: Grant; readonly recorded: Recorded } | SessionRefusal | 'password_changed'>;
  /** Ends all sessions of an account, whoever asks: raises its epoch and journals it. `undefined`: there is no such account. */
  signOut(signOut: AccountSignOut): Promise<Recorded | undefined>;
  /** Exactly one generation comes out of any number of simultaneous rotations of one token. */
  rotate(rotation: Rotation): Promise<Rotated>;
  /** Ends a session and journals it; journals again when it had ended already, so that every success can be waited for. */
  end(end: SessionEnd): Promise<Recorded>;
  /**
   * Ends all sessions of an account: raises its epoch above `seenEpoch` and journals it. When the epoch is higher already (a repeat),
   * journals it again without raising it. `session_ended` when the asking session alone has ended: it may not end others.
   */
  endAll(signOut: SignOutEverywhere): Promise<Recorded | 'session_ended'>;
  /** Forgets the encrypted successors of tokens whose use is as old as that. */
  forgetSuccessors(age: Age): Promise<void>;
  /** Deletes sessions whose expiry is as old as that, and their refresh tokens. @returns how many sessions were deleted */
  purge(purge: Purge): Promise<number>;
}
