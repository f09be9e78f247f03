/** Writing operations of sessions and refresh tokens. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { Origin } from '../../features/audit/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import type {
  Grant,
  NewSession,
  OpenedSession,
  OpeningRefusal,
  PasswordChange,
  Rotated,
  Rotation,
  SessionRefusal,
} from '../../features/sessions/store.ts';
import { unattributed } from '../audit-row.ts';
import { auditAppender } from './audit-writes.ts';
import { iatKeeper, journalAppender } from './journal-writes.ts';
import { sessionLimiter } from './session-limit.ts';

interface GrantRow {
  readonly tenant_id: TenantId;
  readonly account_id: AccountId;
  readonly session_id: SessionId;
  readonly account_epoch: number;
  readonly tenant_epoch: number;
  readonly roles: string;
  readonly amr: string;
  readonly authenticated_at: number;
}

/** What an account looks like to whoever asks for a session. */
interface GrantState {
  readonly account_status: string;
  readonly tenant_status: string;
  readonly roles: string;
}

/** A refresh token with everything that decides about it. */
interface TokenRow extends GrantRow {
  readonly expires_at: number;
  readonly used_at: number | null;
  readonly successor_box: Uint8Array | null;
  readonly successor_used_at: number | null;
  readonly ended_at: number | null;
  readonly account_status: string;
  readonly tenant_status: string;
  readonly current_account_epoch: number;
  readonly current_tenant_epoch: number;
}

const toGrant = (row: GrantRow): Grant => ({
  tenantId: row.tenant_id,
  accountId: row.account_id,
  sessionId: row.session_id,
  accountEpoch: row.account_epoch,
  tenantEpoch: row.tenant_epoch,
  roles: JSON.parse(row.roles) as readonly string[],
  amr: JSON.parse(row.amr) as readonly string[],
  authenticatedAtMs: row.authenticated_at,
});

const sessionRefusal = (row: TokenRow): SessionRefusal | undefined => {
  if (row.tenant_status !== 'active') return 'tenant_suspended';
  if (row.account_status !== 'active') return 'account_disabled';
  const isOutdated = row.account_epoch !== row.current_account_epoch || row.tenant_epoch !== row.current_tenant_epoch;
  return row.ended_at !== null || isOutdated ? 'session_ended' : undefined;
};

/** Prepares the operations. */
export const sessionWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const limit = sessionLimiter(database, journal, audit);
  const keepIat = iatKeeper(database);

  // The statement that authorises a sign-in: account, tenant, password and epochs are checked and copied in one.
  const openSession = database.prepare(
    `insert into session (id, tenant_id, account_id, account_epoch, tenant_epoch, amr, authenticated_at, created_at, expires_at)
     select :id, a.tenant_id, a.id, a.epoch, t.epoch, :amr, :now, :now, :expires
       from account a join tenant t on t.id = a.tenant_id
      where a.tenant_id = :tenant and a.id = :account and a.password_hash = :passwordHash
        and a.status = 'active' and t.status = 'active'
     returning account_epoch, tenant_epoch`,
  );
  const accountState = database.prepare(
    `select a.status as account_status, t.status as tenant_status, a.roles, a.password_hash
       from account a join tenant t on t.id = a.tenant_id where a.tenant_id = ? and a.id = ?`,
  );
  const insertToken = database.prepare(
    'insert into refresh_token (hash, tenant_id, session_id, expires_at) values (?, ?, ?, ?)',
  );

  // The statement that rotates: it uses the token up only if token, session, account, tenant and epochs are all as they must be.
  const useToken = database.prepare(
    `update refresh_token as r
        set used_at = :now, successor_hash = :successor, successor_box = :box
      where r.hash = :hash and r.used_at is null and r.expires_at > :now
        and exists (
          select 1 from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
           where s.id = r.session_id and s.ended_at is null
             and a.status = 'active' and s.account_epoch = a.epoch
             and t.status = 'active' and s.tenant_epoch = t.epoch)
     returning tenant_id, session_id`,
  );
  const extendSession = database.prepare('update session set expires_at = ? where tenant_id = ? and id = ?');
  const findToken = database.prepare(
    `select r.tenant_id, r.session_id, s.account_id, s.account_epoch, s.tenant_epoch, s.amr, s.authenticated_at, s.ended_at,
            a.roles, a.status as account_status, a.epoch as current_account_epoch,
            t.status as tenant_status, t.epoch as current_tenant_epoch,
            r.expires_at, r.used_at, r.successor_box, n.used_at as successor_used_at
       from refresh_token r
       join session s on s.id = r.session_id
       join account a on a.id = s.account_id
       join tenant t on t.id = s.tenant_id
       left join refresh_token n on n.hash = r.successor_hash
      where r.hash = ?`,
  );

  const endSession = database.prepare(
    `update session set ended_at = ?, end_reason = ? where tenant_id = ? and id = ? and ended_at is null
     returning account_id`,
  );
  const endSessionsOf = database.prepare(
    // Not those opened since: a repeat ends what the first one ended.
    `update session set ended_at = ?, end_reason = ?
      where tenant_id = ? and account_id = ? and account_epoch < ? and ended_at is null`,
  );
  const raiseEpoch = database.prepare(
    `update account set epoch = epoch + 1
      where tenant_id = :tenant and id = :account and epoch = :seen
        and exists (select 1 from session s where s.id = :session and s.account_id = account.id and s.ended_at is null)
     returning epoch`,
  );
  const raiseEpochAnyway = database.prepare(
    'update account set epoch = epoch + 1 where tenant_id = ? and id = ? returning epoch',
  );
  const findOwn = database.prepare('select 1 from session where tenant_id = ? and account_id = ? and id = ?');
  // The statement that changes a password: hash, account, tenant and the asking session are all as they must be, or nothing happens.
  const replacePassword = database.prepare(
    `update account as a set password_hash = :to, epoch = epoch + 1
      where a.tenant_id = :tenant and a.id = :account and a.password_hash = :from and a.status = 'active'
        and exists (
          select 1 from session s join tenant t on t.id = s.tenant_id
           where s.id = :session and s.account_id = a.id and s.ended_at is null
             and s.account_epoch = a.epoch and t.status = 'active' and s.tenant_epoch = t.epoch)
     returning epoch`,
  );
  const isLive = database.prepare(
    `select 1 from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where s.tenant_id = ? and s.account_id = ? and s.id = ? and s.ended_at is null
        and s.account_epoch = a.epoch and s.tenant_epoch = t.epoch`,
  );
  const readEpoch = database.prepare('select epoch from account where tenant_id = ? and id = ?');
  const forgetBoxes = database.prepare(
    'update refresh_token set successor_box = null where successor_box is not null and used_at < ?',
  );
  const purge = database.prepare(
    `delete from session where id in (select id from session where expires_at < ? order by expires_at limit ?)`,
  );

  const endAsStolen = (row: TokenRow, { nowMs, by = unattributed }: Rotation): Recorded => {
    const { tenant_id: tenantId, account_id: accountId, session_id: sessionId } = row;
    endSession.get(nowMs, 'refresh_reused', tenantId, sessionId);
    const trace = { event: 'authn_token_reuse', reason: 'refresh_reused', atMs: nowMs, by } as const;
    audit.append({ ...trace, tenantId, accountId, sessionId });
    return journal.append({ kind: 'session', key: sessionId });
  };

  /** The token was not used up by the rotating statement: says why. Same transaction, so nothing can change in between. */
  const judgeUnused = (row: TokenRow | undefined, rotation: Rotation): Rotated => {
    const { nowMs, graceMs } = rotation;
    if (row === undefined) return { outcome: 'refresh_invalid' };
    const refusal = sessionRefusal(row);
    if (refusal !== undefined) return { outcome: refusal };
    if (row.used_at === null) return { outcome: 'refresh_expired' };
    if (Math.abs(nowMs - row.used_at) > graceMs || row.successor_box === null)
      return { outcome: 'refresh_reused', recorded: endAsStolen(row, rotation) };
    if (row.successor_used_at !== null) return { outcome: 'refresh_superseded' };
    return { outcome: 'replayed', grant: toGrant(row), successorBox: row.successor_box };
  };

  const openOne = (
    input: Omit<NewSession, 'sessionsMax'>,
    reason: 'password' | 'password_change',
  ): Grant | OpeningRefusal => {
    const { tenantId, accountId, passwordHash, amr, nowMs, refreshToken, by = unattributed } = input;
    const sessionId = randomUUIDv7() as SessionId;
    const opened = openSession.get({
      id: sessionId,
      tenant: tenantId,
      account: accountId,
      passwordHash,
      amr: JSON.stringify(amr),
      now: nowMs,
      expires: refreshToken.expiresAtMs,
    }) as { account_epoch: number; tenant_epoch: number } | undefined;
    const state = accountState.get(tenantId, accountId) as GrantState | undefined;
    if (opened === undefined || state === undefined) {
      if (state === undefined) return 'password_changed';
      if (state.tenant_status !== 'active') return 'tenant_suspended';
      return state.account_status === 'active' ? 'password_changed' : 'account_disabled';
    }
    insertToken.run(refreshToken.hash, tenantId, sessionId, refreshToken.expiresAtMs);
    keepIat(nowMs);
    audit.append({ event: 'authn_login_success', reason, atMs: nowMs, tenantId, accountId, sessionId, by });
    return {
      tenantId,
      accountId,
      sessionId,
      accountEpoch: opened.account_epoch,
      tenantEpoch: opened.tenant_epoch,
      roles: JSON.parse(state.roles) as readonly string[],
      amr,
      authenticatedAtMs: nowMs,
    };
  };

  return {
    openSession: (input: NewSession): OpenedSession | OpeningRefusal => {
      const grant = openOne(input, 'password');
      if (typeof grant === 'string') return grant;
      const displaced = limit(grant, input.sessionsMax, input.nowMs, input.by ?? unattributed);
      return displaced === undefined ? grant : { ...grant, displaced };
    },

    rotateRefreshToken: (input: Rotation): Rotated => {
      const used = useToken.get({
        hash: input.presentedHash,
        successor: input.successor.hash,
        box: input.successorBox,
        now: input.nowMs,
      }) as { tenant_id: TenantId; session_id: SessionId } | undefined;
      const row = findToken.get(input.presentedHash) as TokenRow | undefined;
      if (used === undefined || row === undefined) return judgeUnused(row, input);
      insertToken.run(input.successor.hash, used.tenant_id, used.session_id, input.successor.expiresAtMs);
      keepIat(input.nowMs);
      extendSession.run(input.successor.expiresAtMs, used.tenant_id, used.session_id);
      return { outcome: 'rotated', grant: toGrant(row) };
    },

    endSession: (input: {
      tenantId: TenantId;
      sessionId: SessionId;
      nowMs: number;
      by?: Origin | undefined;
    }): Recorded => {
      const { tenantId, sessionId, nowMs, by = unattributed } = input;
      const ended = endSession.get(nowMs, 'logout', tenantId, sessionId) as { account_id: AccountId } | undefined;
      const trace = { event: 'authn_token_revoked', reason: 'logout', atMs: nowMs, by } as const;
      // A repeat ends nothing and leaves no further row.
      if (ended !== undefined) audit.append({ ...trace, tenantId, accountId: ended.account_id, sessionId });
      return journal.append({ kind: 'session', key: sessionId });
    },

    endOwnSession: (input: {
      tenantId: TenantId;
      accountId: AccountId;
      sessionId: SessionId;
      nowMs: number;
      by?: Origin | undefined;
      asking?: SessionId | undefined;
    }): Recorded | 'session_not_found' => {
      const { tenantId, accountId, sessionId, nowMs, by = unattributed, asking } = input;
      if (findOwn.get(tenantId, accountId, sessionId) === undefined) return 'session_not_found';
      const trace = { event: 'session_expired', reason: 'revoked', atMs: nowMs, subject: asking, by } as const;
      if (endSession.get(nowMs, 'revoked', tenantId, sessionId) !== undefined)
        audit.append({ ...trace, tenantId, accountId, sessionId });
      return journal.append({ kind: 'session', key: sessionId });
    },

    changePassword: (
      input: PasswordChange,
    ): { grant: Grant; recorded: Recorded } | SessionRefusal | 'password_changed' => {
      const { tenantId, accountId, sessionId, from, to, nowMs, by = unattributed } = input;
      const values = { tenant: tenantId, account: accountId, session: sessionId, from, to };
      const raised = replacePassword.get(values) as { epoch: number } | undefined;
      if (raised === undefined) {
        const isAsking = isLive.get(tenantId, accountId, sessionId) !== undefined;
        const state = accountState.get(tenantId, accountId) as GrantState | undefined;
        if (state !== undefined && state.tenant_status !== 'active') return 'tenant_suspended';
        if (state !== undefined && state.account_status !== 'active') return 'account_disabled';
        return isAsking ? 'password_changed' : 'session_ended';
      }
      endSessionsOf.run(nowMs, 'password_changed', tenantId, accountId, raised.epoch);
      const grant = openOne({ ...input, passwordHash: to }, 'password_change');
      // Thrown, not returned: what was changed so far is undone.
      if (typeof grant === 'string') throw new Error(`Cannot open a session after the password change: ${grant}`);
      const trace = { event: 'authn_password_change', reason: 'changed', atMs: nowMs, by } as const;
      audit.append({ ...trace, tenantId, accountId, sessionId });
      return { grant, recorded: journal.append({ kind: 'account', key: accountId, epoch: raised.epoch }) };
    },

    signOutAccount: (input: {
      tenantId: TenantId;
      accountId: AccountId;
      nowMs: number;
      by?: Origin | undefined;
    }): Recorded | undefined => {
      const { tenantId, accountId, nowMs, by = unattributed } = input;
      const raised = raiseEpochAnyway.get(tenantId, accountId) as { epoch: number } | undefined;
      if (raised === undefined) return undefined;
      endSessionsOf.run(nowMs, 'signed_out', tenantId, accountId, raised.epoch);
      audit.append({ event: 'session_expired', reason: 'signed_out', atMs: nowMs, tenantId, accountId, by });
      return journal.append({ kind: 'account', key: accountId, epoch: raised.epoch });
    },

    endAllSessions: (input: {
      tenantId: TenantId;
      accountId: AccountId;
      sessionId: SessionId;
      seenEpoch: number;
      nowMs: number;
      by?: Origin | undefined;
    }): Recorded | 'session_ended' => {
      const { tenantId, accountId, sessionId, seenEpoch, nowMs, by = unattributed } = input;
      const raised = raiseEpoch.get({ tenant: tenantId, account: accountId, seen: seenEpoch, session: sessionId });
      const { epoch } = (raised ?? readEpoch.get(tenantId, accountId) ?? { epoch: seenEpoch }) as { epoch: number };
      if (epoch <= seenEpoch) return 'session_ended';
      endSessionsOf.run(nowMs, 'logout_all', tenantId, accountId, epoch);
      const trace = { event: 'authn_token_revoked', reason: 'logout_all', atMs: nowMs, by } as const;
      if (raised !== undefined) audit.append({ ...trace, tenantId, accountId, sessionId });
      return journal.append({ kind: 'account', key: accountId, epoch });
    },

    forgetSuccessors: ({ usedBeforeMs }: { usedBeforeMs: number }): void => {
      forgetBoxes.run(usedBeforeMs);
    },

    purgeSessions: ({ beforeMs, rowsMax }: { beforeMs: number; rowsMax: number }): number =>
      Number(purge.run(beforeMs, rowsMax).changes),
  };
};
