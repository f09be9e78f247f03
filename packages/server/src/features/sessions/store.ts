/**
 * Port: where sessions and their refresh tokens live.
 *
 * Every decision is one atomic statement or transaction on the primary database, which also writes
 * the row of the audit trail. Each opened session and each act that ends sessions leaves one row. A
 * repeat that ends nothing leaves none.
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../audit/store.ts';
import type { Age, Purge } from '../purging/store.ts';
import type { Recorded } from '../revocation/store.ts';

/**
 * What the authorising statement read: enough to issue an access token, without a view, replica or
 * cache.
 */
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

/** A refresh token about to be stored, as its SHA-256. The token itself is never stored. */
export interface NewRefreshToken {
  readonly hash: Uint8Array;
  readonly expiresAtMs: number;
}

/** A sign-in about to be stored. */
export interface NewSession {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  /**
   * The hash against which the password was checked. If it has changed since, no session is opened.
   */
  readonly passwordHash: string;
  /**
   * The email of the account when the password was checked. If it has another one by now, no session
   * is opened: another account may have that email soon. Absent: not compared.
   */
  readonly email?: string;
  readonly amr: readonly string[];
  readonly nowMs: number;
  readonly refreshToken: NewRefreshToken;
  /** Most live sessions of the account, this one among them. */
  readonly sessionsMax: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A session that was opened. */
export interface OpenedSession extends Grant {
  /** The sessions that were ended because the account had too many; absent: none. */
  readonly displaced?: Recorded;
}

/** A new password about to be stored, and the session that replaces all others. */
export interface PasswordChange {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  /** Session that asks. */
  readonly sessionId: SessionId;
  /**
   * The hash against which the current password was checked. If it has changed since, nothing is
   * done.
   */
  readonly from: string;
  readonly to: string;
  readonly amr: readonly string[];
  readonly nowMs: number;
  readonly refreshToken: NewRefreshToken;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** One session about to end. */
export interface SessionEnd {
  readonly tenantId: TenantId;
  readonly sessionId: SessionId;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** The session of a refresh token about to end. */
export interface TokenSessionEnd {
  /** SHA-256 of any refresh token of the session: unused, used or expired. */
  readonly presentedHash: Uint8Array;
  readonly nowMs: number;
  /** Origin of the request, for the audit trail. */
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
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** All sessions of an account about to end, as one of them asks. */
export interface SignOutEverywhere extends AccountSignOut {
  /** The session that asks. */
  readonly sessionId: SessionId;
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
  /**
   * The successor, encrypted under a key derived from the presented token; kept for the grace
   * window only.
   */
  readonly successorBox: Uint8Array;
  readonly nowMs: number;
  /**
   * The grace window, milliseconds: longest time between the use of a token and a replay that is
   * forgiven, in either direction of time.
   */
  readonly graceMs: number;
  /** Origin of the request, for the audit trail. */
  readonly by: Origin;
}

/** A refresh token, as it stands. */
export interface KnownRefreshToken {
  readonly grant: Grant;
  readonly expiresAtMs: number;
  /** Whether it would rotate now: unused, unexpired, of a living session. */
  readonly isUsable: boolean;
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
  /** Used longer ago and the successor was unused: it is superseded by the new one. */
  | { readonly outcome: 'reissued'; readonly grant: Grant }
  /** The token may be stolen: the session has been ended, and the entry journalled. */
  | { readonly outcome: 'refresh_reused'; readonly recorded: Recorded }
  | { readonly outcome: SessionRefusal | 'refresh_invalid' | 'refresh_expired' | 'refresh_superseded' };

/**
 * Where sessions live. Every engine passes `store.contract.ts`. Operations whose result dates an
 * access token reject with `clock_wrong` when the clock of the caller is too far ahead of the
 * database's.
 */
export interface SessionStore {
  /**
   * Opens a session if account and tenant are active and the password hash is unchanged. If the
   * account then has more than `sessionsMax` sessions, the excess is ended and journalled: first
   * sessions that can no longer be refreshed, then the oldest. Simultaneous sign-ins of one account
   * may leave some excess, which the next sign-in ends.
   */
  open(session: NewSession): Promise<OpenedSession | OpeningRefusal>;
  /** Up to `rowsMax` live sessions of an account, newest first. */
  list(page: SessionsPage): Promise<readonly LiveSession[]>;
  /** As {@link SessionStore.end}, for a session of this account only. */
  endOwn(end: OwnSessionEnd): Promise<Recorded | 'session_not_found'>;
  /**
   * Replaces the password hash if it is still the one that was checked and the asking session
   * lives; raises the account's epoch, which ends every session, journals it, and opens a new
   * session. All of it or nothing.
   */
  changePassword(
    change: PasswordChange,
  ): Promise<{ readonly grant: Grant; readonly recorded: Recorded } | SessionRefusal | 'password_changed'>;
  /**
   * Ends all sessions of an account unconditionally: raises its epoch and journals it. `undefined`:
   * there is no such account.
   */
  signOut(signOut: AccountSignOut): Promise<Recorded | undefined>;
  /**
   * Exactly one generation comes out of any number of simultaneous rotations of one token. Keeps
   * the last `usedTokensMax` used tokens of the session (see the rules).
   */
  rotate(rotation: Rotation): Promise<Rotated>;
  /**
   * Looks at a refresh token, in one read of the primary: it is not used up, and no use of it is
   * taken for theft. `undefined`: it is not known.
   */
  findToken(token: {
    readonly presentedHash: Uint8Array;
    readonly nowMs: number;
  }): Promise<KnownRefreshToken | undefined>;
  /**
   * Ends a session and journals it. A session that had ended already is journalled again, so that
   * the caller can wait for every success.
   */
  end(end: SessionEnd): Promise<Recorded>;
  /** As {@link SessionStore.end}, for the session of a refresh token. */
  endByToken(end: TokenSessionEnd): Promise<Recorded | 'refresh_invalid'>;
  /**
   * Ends all sessions of an account as a living one asks: raises its epoch and journals it. If the
   * asking session has ended with all others (a repeat), the epoch that ended it is journalled again,
   * and sessions opened since live on. `session_ended`: the asking session has ended otherwise, so it
   * may not end others.
   */
  endAll(signOut: SignOutEverywhere): Promise<Recorded | 'session_ended'>;
  /** Forgets the encrypted successors of tokens whose use is as old as that. */
  forgetSuccessors(age: Age): Promise<void>;
  /**
   * Deletes sessions whose expiry is as old as that, and their refresh tokens.
   * @returns how many sessions were deleted
   */
  purge(purge: Purge): Promise<number>;
}
