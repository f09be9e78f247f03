/**
 * Sessions in PostgreSQL. Isolation is READ COMMITTED: each statement sees what was committed when
 * it began, which is what the ports ask. A revocation that commits while a statement runs is caught
 * by its journal entry, because the token's `iat` was read before.
 * @module
 */
import { randomUUIDv7 } from 'node:crypto';
import { CatalyticError } from '@catalytic/protocol/errors';
import type { SessionId } from '@catalytic/protocol/ids';
import { isUsable, judgeToken, openingRefusal, passwordChangeRefusal } from '../../features/sessions/rules.ts';
import type { Grant, LiveSession, Rotated, Rotation, SessionStore } from '../../features/sessions/store.ts';
import { originValue } from './audit-rows.ts';
import { type JournalRow, toRecorded, toRecordedIfAny } from './journal-rows.ts';
import * as tokens from './refresh-token-statements.ts';
import * as sql from './session-statements.ts';
import type { Run } from './transactions.ts';

/**
 * Nothing is signed, and nothing is judged to have expired, by a clock that is too far ahead of the
 * database's.
 */
const assertRightTime = ({ isAhead }: { readonly isAhead: boolean }): void => {
  if (isAhead) throw new CatalyticError('clock_wrong', { retryAfterSeconds: 5 });
};

const toGrant = (row: tokens.TokenRow): Grant => ({
  tenantId: row.tenantId,
  accountId: row.accountId,
  sessionId: row.sessionId,
  accountEpoch: row.accountEpoch,
  tenantEpoch: row.tenantEpoch,
  roles: row.roles,
  amr: row.amr,
  authenticatedAtMs: row.authenticatedAtMs,
});

/** After every id. */
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** How often a rotation tries again because what refused it has gone away meanwhile. */
const rotationTriesMax = 3;

const openWith =
  (run: Run): SessionStore['open'] =>
  async (session) => {
    const { tenantId, accountId, passwordHash, email, amr, nowMs, refreshToken, sessionsMax, by } = session;
    const sessionId = randomUUIDv7() as SessionId;
    const [row] = await run<sql.OpenedRow>(
      tenantId,
      sql.open(
        ...[sessionId, tenantId, accountId, passwordHash, amr, nowMs, refreshToken.expiresAtMs, refreshToken.hash],
        ...[sessionsMax, originValue(by), email ?? null],
      ),
    );
    if (row === undefined) return openingRefusal(undefined);
    assertRightTime(row);
    const { accountEpoch, tenantEpoch, roles, displaced } = row;
    if (accountEpoch === null || tenantEpoch === null) return openingRefusal(row);
    const grant = { tenantId, accountId, sessionId, accountEpoch, tenantEpoch, roles, amr, authenticatedAtMs: nowMs };
    return displaced === null ? grant : { ...grant, displaced: toRecorded(displaced) };
  };

const changePasswordWith =
  (run: Run): SessionStore['changePassword'] =>
  async (change) => {
    const { tenantId, accountId, sessionId: asking, from, to, amr, nowMs, refreshToken, by } = change;
    const sessionId = randomUUIDv7() as SessionId;
    // Locked first: the deciding statement begins after all earlier changes have committed, so what
    // it says of them is true.
    const [row] = await run<sql.PasswordChangedRow>(
      tenantId,
      sql.lockAccount(tenantId, accountId),
      sql.changePassword(
        ...[tenantId, accountId, asking, from, to, nowMs, sessionId, amr, refreshToken.expiresAtMs, refreshToken.hash],
        originValue(by),
      ),
    );
    if (row === undefined) return passwordChangeRefusal(undefined, false);
    assertRightTime(row);
    const { accountEpoch, tenantEpoch, roles, recorded } = row;
    if (accountEpoch === null || tenantEpoch === null || recorded === null)
      return passwordChangeRefusal(row, row.isAskingLive);
    const grant = { tenantId, accountId, sessionId, accountEpoch, tenantEpoch, roles, amr, authenticatedAtMs: nowMs };
    return { grant, recorded: toRecorded(recorded) };
  };

const rotateWith = (run: Run): SessionStore['rotate'] => {
  /**
   * The token was not used up by the rotating statement: says why, as a later statement sees it, and
   * does what follows; `undefined` when nothing forbids the rotation, or what forbade it is over.
   */
  const judgeUnused = async (rotation: Rotation): Promise<Rotated | undefined> => {
    const { presentedHash, successor, successorBox, nowMs, by } = rotation;
    const [row] = await run<tokens.TokenRow>('*', tokens.findToken(presentedHash, nowMs));
    if (row === undefined) return { outcome: 'refresh_invalid' };
    assertRightTime(row);
    const judged = judgeToken(row, rotation);
    switch (judged.outcome) {
      case 'usable':
        return undefined;
      case 'replayed':
        return { ...judged, grant: toGrant(row) };
      case 'answer_lost': {
        // `undefined` when its successor was used, or replaced, in the meantime.
        const values = [presentedHash, successor.hash, successorBox, nowMs, successor.expiresAtMs, originValue(by)];
        const [grant] = await run<Grant>('*', tokens.reissue(...values, row.successorHash));
        return grant && { outcome: 'reissued', grant };
      }
      case 'refresh_reused': {
        // A used token never becomes unused, so this is still true in the next transaction.
        const { tenantId, sessionId } = row;
        const endStolen = tokens.endStolen[judged.theft];
        const rows = await run<JournalRow>(tenantId, endStolen(tenantId, sessionId, nowMs, originValue(by)));
        return { outcome: judged.outcome, recorded: toRecorded(rows) };
      }
      default:
        return judged;
    }
  };

  return async (rotation) => {
    const { presentedHash, successor, successorBox, nowMs } = rotation;
    const use = tokens.useToken(presentedHash, successor.hash, successorBox, nowMs, successor.expiresAtMs);
    for (let attempt = 1; attempt <= rotationTriesMax; attempt++) {
      const [grant] = await run<Grant>('*', use);
      if (grant !== undefined) return { outcome: 'rotated', grant };
      // Others may have used it while this statement waited for their lock; its own snapshot is
      // older than that.
      const judged = await judgeUnused(rotation);
      if (judged !== undefined) return judged;
    }
    return { outcome: 'refresh_invalid' };
  };
};

/** @param run runs transactions */
export const postgresSessions = (run: Run): SessionStore => ({
  open: openWith(run),
  rotate: rotateWith(run),
  findToken: async ({ presentedHash, nowMs }) => {
    const [row] = await run<tokens.TokenRow>('*', tokens.findToken(presentedHash, nowMs));
    if (row === undefined) return undefined;
    assertRightTime(row);
    return { grant: toGrant(row), expiresAtMs: row.expiresAtMs, isUsable: isUsable(row, nowMs) };
  },
  changePassword: changePasswordWith(run),
  end: async ({ tenantId, sessionId, nowMs, by }) =>
    toRecorded(await run<JournalRow>(tenantId, sql.end(tenantId, sessionId, nowMs, originValue(by)))),
  endByToken: async ({ presentedHash, nowMs, by }) => {
    const rows = await run<JournalRow>('*', sql.endByToken(presentedHash, nowMs, originValue(by)));
    return rows.length === 0 ? 'refresh_invalid' : toRecorded(rows);
  },
  list: ({ tenantId, accountId, before, rowsMax, nowMs }) =>
    run<LiveSession>(tenantId, sql.list(tenantId, accountId, before ?? lastId, nowMs, rowsMax)),
  endOwn: async ({ tenantId, accountId, sessionId, askingSessionId, nowMs, by }) => {
    const rows = await run<JournalRow>(
      tenantId,
      sql.endOwn(tenantId, accountId, sessionId, nowMs, originValue(by), askingSessionId),
    );
    return rows.length === 0 ? 'session_not_found' : toRecorded(rows);
  },
  signOut: async ({ tenantId, accountId, nowMs, by }) => {
    const rows = await run<JournalRow>(tenantId, sql.signOut(tenantId, accountId, nowMs, originValue(by)));
    return toRecordedIfAny(rows);
  },
  endAll: async ({ tenantId, accountId, sessionId, nowMs, by }) => {
    // Locked first: the deciding statement begins after all earlier ones have committed, so exactly
    // one raises the epoch.
    const rows = await run<JournalRow>(
      tenantId,
      sql.lockAccount(tenantId, accountId),
      sql.endAll(tenantId, accountId, sessionId, nowMs, originValue(by)),
    );
    return rows.length === 0 ? 'session_ended' : toRecorded(rows);
  },
  forgetSuccessors: async ({ nowMs, sinceMs }) => {
    for (let rows = tokens.forgottenMax; rows === tokens.forgottenMax; )
      rows = (await run<sql.CountRow>('*', tokens.forgetBoxes(nowMs, sinceMs)))[0]?.rows ?? 0;
  },
  purge: async ({ nowMs, sinceMs, rowsMax }) =>
    (await run<sql.CountRow>('*', sql.purge(nowMs, sinceMs, rowsMax)))[0]?.rows ?? 0,
});
