/**
 * Sessions in PostgreSQL. Isolation is READ COMMITTED: each statement sees what was committed when it began, which is what the ports ask.
 * A revocation that commits while a statement runs is caught by its journal entry, because the token's `iat` was read before.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { SessionId } from '@catalytic/protocol/ids';
import type { LiveSession, Rotated, Rotation, SessionRefusal, SessionStore } from '../../features/sessions/store.ts';
import { originValue } from './audit-rows.ts';
import { type JournalRow, toRecorded } from './journal-rows.ts';
import * as sql from './session-statements.ts';
import type { Run } from './transactions.ts';

const toGrant = (row: sql.GrantRow) => ({
  tenantId: row.tenant_id,
  accountId: row.account_id,
  sessionId: row.session_id,
  accountEpoch: row.account_epoch,
  tenantEpoch: row.tenant_epoch,
  roles: row.roles,
  amr: row.amr,
  authenticatedAtMs: row.authenticated_at,
});

const sessionRefusal = (row: sql.TokenRow): SessionRefusal | undefined => {
  if (row.tenant_status !== 'active') return 'tenant_suspended';
  if (row.account_status !== 'active') return 'account_disabled';
  const isOutdated = row.account_epoch !== row.current_account_epoch || row.tenant_epoch !== row.current_tenant_epoch;
  return row.ended_at !== null || isOutdated ? 'session_ended' : undefined;
};

/** Nothing is signed, and nothing is judged to have expired, by a clock that is too far ahead of the database's. */
const assertRightTime = ({ is_ahead }: { readonly is_ahead: boolean }): void => {
  if (is_ahead) throw new CatalyticError('clock_wrong', { retryAfterSeconds: 5 });
};

/** After every id. */
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** How often a rotation tries again because what refused it has gone away meanwhile. */
const rotationTriesMax = 3;

/** @param run runs transactions */
export const postgresSessions = (run: Run): SessionStore => {
  const open: SessionStore['open'] = async (session) => {
    const { tenantId, accountId, passwordHash, amr, nowMs, refreshToken, sessionsMax, by } = session;
    const sessionId = randomUUIDv7() as SessionId;
    const [row] = await run<sql.OpenedRow>(
      tenantId,
      sql.open(
        ...[sessionId, tenantId, accountId, passwordHash, amr, nowMs, refreshToken.expiresAtMs, refreshToken.hash],
        sessionsMax,
        originValue(by),
      ),
    );
    if (row === undefined) return 'password_changed';
    assertRightTime(row);
    if (row.account_epoch === null || row.tenant_epoch === null) {
      if (row.tenant_status !== 'active') return 'tenant_suspended';
      return row.account_status === 'active' ? 'password_changed' : 'account_disabled';
    }
    return {
      tenantId,
      accountId,
      sessionId,
      accountEpoch: row.account_epoch,
      tenantEpoch: row.tenant_epoch,
      roles: row.roles,
      amr,
      authenticatedAtMs: nowMs,
      ...(row.displaced === null ? {} : { displaced: toRecorded(row.displaced) }),
    };
  };

  const changePassword: SessionStore['changePassword'] = async (change) => {
    const { tenantId, accountId, sessionId: asking, from, to, amr, nowMs, refreshToken, by } = change;
    const sessionId = randomUUIDv7() as SessionId;
    // Locked first: the deciding statement begins after all earlier changes have committed, so what it says of them is true.
    const [row] = await run<sql.PasswordChangedRow>(
      tenantId,
      sql.lockAccount(tenantId, accountId),
      sql.changePassword(
        ...[tenantId, accountId, asking, from, to, nowMs, sessionId, amr, refreshToken.expiresAtMs, refreshToken.hash],
        originValue(by),
      ),
    );
    if (row === undefined) return 'session_ended';
    assertRightTime(row);
    const { account_epoch: accountEpoch, tenant_epoch: tenantEpoch, roles, recorded } = row;
    if (accountEpoch === null || tenantEpoch === null || recorded === null) {
      if (row.tenant_status !== 'active') return 'tenant_suspended';
      if (row.account_status !== 'active') return 'account_disabled';
      return row.is_asking ? 'password_changed' : 'session_ended';
    }
    const grant = { tenantId, accountId, sessionId, accountEpoch, tenantEpoch, roles, amr, authenticatedAtMs: nowMs };
    return { grant, recorded: toRecorded(recorded) };
  };

  const endAsStolen = async (row: sql.TokenRow, { nowMs, by }: Rotation): Promise<Rotated> => {
    const { tenant_id, session_id } = row;
    const rows = await run<JournalRow>(tenant_id, sql.endStolen(tenant_id, session_id, nowMs, originValue(by)));
    return { outcome: 'refresh_reused', recorded: toRecorded(rows) };
  };

  /** The token was not used up by the rotating statement: says why, as a later statement sees it; `undefined` when nothing forbids it. */
  const judgeUnused = async (rotation: Rotation): Promise<Rotated | undefined> => {
    const { presentedHash, nowMs, graceMs } = rotation;
    const [row] = await run<sql.TokenRow>('*', sql.findToken(presentedHash, nowMs));
    if (row === undefined) return { outcome: 'refresh_invalid' };
    assertRightTime(row);
    const refusal = sessionRefusal(row);
    if (refusal !== undefined) return { outcome: refusal };
    if (row.used_at === null) return row.expires_at > nowMs ? undefined : { outcome: 'refresh_expired' };
    // A used token never becomes unused and a forgotten successor never comes back, so this stays true until the next transaction.
    if (Math.abs(nowMs - row.used_at) > graceMs || row.successor_box === null) return endAsStolen(row, rotation);
    if (row.successor_used_at !== null) return { outcome: 'refresh_superseded' };
    return { outcome: 'replayed', grant: toGrant(row), successorBox: row.successor_box };
  };

  const rotate: SessionStore['rotate'] = async (rotation) => {
    const { presentedHash, successor, successorBox, nowMs } = rotation;
    const use = sql.useToken(presentedHash, successor.hash, successorBox, nowMs, successor.expiresAtMs);
    for (let attempt = 1; attempt <= rotationTriesMax; attempt++) {
      const [row] = await run<sql.GrantRow>('*', use);
      if (row !== undefined) return { outcome: 'rotated', grant: toGrant(row) };
      // Others may have used it while this statement waited for their lock; its own snapshot is older than that.
      const judged = await judgeUnused(rotation);
      if (judged !== undefined) return judged;
    }
    return { outcome: 'refresh_invalid' };
  };

  return {
    open,
    rotate,
    end: async (tenantId, sessionId, nowMs, by) =>
      toRecorded(await run<JournalRow>(tenantId, sql.end(tenantId, sessionId, nowMs, originValue(by)))),
    list: (tenantId, accountId, before, rowsMax, nowMs) =>
      run<LiveSession>(tenantId, sql.list(tenantId, accountId, before ?? lastId, nowMs, rowsMax)),
    endOwn: async (tenantId, accountId, sessionId, nowMs, by, asking) => {
      const rows = await run<JournalRow>(
        tenantId,
        sql.endOwn(tenantId, accountId, sessionId, nowMs, originValue(by), asking ?? null),
      );
      return rows.length === 0 ? 'session_not_found' : toRecorded(rows);
    },
    changePassword,
    signOut: async (tenantId, accountId, nowMs, by) => {
      const rows = await run<JournalRow>(tenantId, sql.signOut(tenantId, accountId, nowMs, originValue(by)));
      return rows.length === 0 ? undefined : toRecorded(rows);
    },
    endAll: async (tenantId, accountId, sessionId, seenEpoch, nowMs, by) => {
      // Locked first: the deciding statement begins after all earlier ones have committed, so exactly one raises the epoch.
      const rows = await run<JournalRow>(
        tenantId,
        sql.lockAccount(tenantId, accountId),
        sql.endAll(tenantId, accountId, sessionId, seenEpoch, nowMs, originValue(by)),
      );
      return rows.length === 0 ? 'session_ended' : toRecorded(rows);
    },
    forgetSuccessors: async (nowMs, sinceMs) => {
      for (let rows = sql.forgottenMax; rows === sql.forgottenMax; )
        rows = (await run<sql.CountRow>('*', sql.forgetBoxes(nowMs, sinceMs)))[0]?.rows ?? 0;
    },
    purge: async (nowMs, sinceMs, rowsMax) =>
      (await run<sql.CountRow>('*', sql.purge(nowMs, sinceMs, rowsMax)))[0]?.rows ?? 0,
  };
};
