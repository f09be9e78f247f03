/** Writing operations of refresh tokens. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { SessionId, TenantId } from '@catalytic/protocol/ids';
import type { Age } from '../../features/purging/store.ts';
import { judgeToken, lostAnswer, type PresentedToken, thefts, usedTokensMax } from '../../features/sessions/rules.ts';
import type { Grant, Rotated, Rotation } from '../../features/sessions/store.ts';
import { isInGoodStanding, isUnended, successorOf } from '../session-sql.ts';
import { auditAppender } from './audit-writes.ts';
import { sessionEnder } from './ended-sessions.ts';
import { iatKeeper, journalAppender } from './journal-writes.ts';
import { tokenInserter } from './refresh-token-rows.ts';

/** A token with the grant that it can renew, whose lists are JSON texts here. */
export type TokenRow = PresentedToken &
  Omit<Grant, 'roles' | 'amr'> & {
    readonly roles: string;
    readonly amr: string;
  };

/** What the token can renew. */
export const toGrant = (row: TokenRow): Grant => ({
  tenantId: row.tenantId,
  accountId: row.accountId,
  sessionId: row.sessionId,
  accountEpoch: row.accountEpoch,
  tenantEpoch: row.tenantEpoch,
  roles: JSON.parse(row.roles) as readonly string[],
  amr: JSON.parse(row.amr) as readonly string[],
  authenticatedAtMs: row.authenticatedAtMs,
});

/** A refresh token with everything that decides about it: a {@link TokenRow}. */
export const findTokenStatement = `
  select r.tenant_id as tenantId, s.account_id as accountId, r.session_id as sessionId,
         s.account_epoch as accountEpoch, s.tenant_epoch as tenantEpoch,
         a.roles, s.amr, s.authenticated_at as authenticatedAtMs, s.ended_at as endedAtMs,
         a.status as accountStatus, a.epoch as currentAccountEpoch,
         t.status as tenantStatus, t.epoch as currentTenantEpoch,
         r.expires_at as expiresAtMs, r.used_at as usedAtMs, r.successor_box as successorBox,
         ${successorOf} as successor
    from refresh_token r
    join session s on s.id = r.session_id
    join account a on a.id = s.account_id
    join tenant t on t.id = s.tenant_id
    left join refresh_token n on n.hash = r.successor_hash
   where r.hash = ?`;

/** What the statements are given. */
type UseValues = Readonly<Record<'hash' | 'successor' | 'box', Uint8Array> & { readonly now: number }>;

/** What the statements that use a token up return. */
interface UsedRow {
  readonly tenantId: TenantId;
  readonly sessionId: SessionId;
  readonly number: number;
}

/** Prepares the statements that decide: each changes nothing unless everything is as it must be. */
const deciders = (database: DatabaseSync) => ({
  /** Uses an unused token up. */
  use: database.prepare(
    `update refresh_token as r
        set used_at = :now, successor_hash = :successor, successor_box = :box
      where r.hash = :hash and r.used_at is null and r.expires_at > :now
        and exists (
          select 1 from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
           where s.id = r.session_id and ${isUnended} and ${isInGoodStanding})
     returning tenant_id as tenantId, session_id as sessionId, number`,
  ),
  /** Uses the unused successor of a used token up, so that another can take its place. */
  supersede: database.prepare(
    `update refresh_token as n set used_at = :now
      where n.hash = (select successor_hash from refresh_token where hash = :hash) and n.used_at is null
        and exists (
          select 1 from refresh_token r join session s on s.id = r.session_id
                        join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
           where r.hash = :hash and r.expires_at > :now and ${isUnended} and ${isInGoodStanding})
     returning tenant_id as tenantId, session_id as sessionId, number`,
  ),
  /** Gives a used token another successor. */
  reissue: database.prepare(
    'update refresh_token set used_at = :now, successor_hash = :successor, successor_box = :box where hash = :hash',
  ),
});

/** Prepares the operations. */
export const rotationWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const keepIat = iatKeeper(database);
  const end = sessionEnder(database);
  const { use, supersede, reissue } = deciders(database);
  const insertToken = tokenInserter(database);
  const extendSession = database.prepare('update session set expires_at = ? where tenant_id = ? and id = ?');
  const trim = database.prepare('delete from refresh_token where session_id = ? and number <= ?');
  const findToken = database.prepare(findTokenStatement);
  const forgetBoxes = database.prepare(
    'update refresh_token set successor_box = null where successor_box is not null and used_at < ?',
  );

  const store = (successor: Rotation['successor'], used: UsedRow, nowMs: number): void => {
    const number = used.number + 1;
    insertToken(successor, used, number);
    trim.run(used.sessionId, number - 1 - usedTokensMax);
    keepIat(nowMs);
    extendSession.run(successor.expiresAtMs, used.tenantId, used.sessionId);
  };

  const reissueFor = (row: TokenRow, rotation: Rotation, values: UseValues): Rotated => {
    const { tenantId, accountId, sessionId } = row;
    const { nowMs, by, successor } = rotation;
    const superseded = supersede.get({ hash: rotation.presentedHash, now: nowMs }) as UsedRow | undefined;
    if (superseded === undefined) throw new Error('Cannot reissue: the statement has refused what the rules allow');
    reissue.run(values);
    store(successor, superseded, nowMs);
    audit.append({ ...lostAnswer, atMs: nowMs, by, tenantId, accountId, sessionId });
    return { outcome: 'reissued', grant: toGrant(row) };
  };

  /**
   * The token was not used up by the rotating statement: says why. Same transaction, so nothing can
   * change in between.
   */
  const judgeUnused = (row: TokenRow | undefined, rotation: Rotation, values: UseValues): Rotated => {
    if (row === undefined) return { outcome: 'refresh_invalid' };
    const judged = judgeToken(row, rotation);
    switch (judged.outcome) {
      case 'usable':
        throw new Error('Cannot rotate: the statement has refused a token that the rules hold to be usable');
      case 'replayed':
        return { ...judged, grant: toGrant(row) };
      case 'answer_lost':
        return reissueFor(row, rotation, values);
      case 'refresh_reused': {
        const { tenantId, accountId, sessionId } = row;
        const { nowMs, by } = rotation;
        end({ tenantId, sessionId, nowMs }, 'refresh_reused');
        audit.append({ ...thefts[judged.theft], atMs: nowMs, by, tenantId, accountId, sessionId });
        return { outcome: judged.outcome, recorded: journal.append({ kind: 'session', key: sessionId }, tenantId) };
      }
      default:
        return judged;
    }
  };

  return {
    rotate: (rotation: Rotation): Rotated => {
      const { presentedHash, successor, successorBox, nowMs } = rotation;
      const values = { hash: presentedHash, successor: successor.hash, box: successorBox, now: nowMs };
      const used = use.get(values) as UsedRow | undefined;
      const row = findToken.get(presentedHash) as TokenRow | undefined;
      if (used === undefined || row === undefined) return judgeUnused(row, rotation, values);
      store(successor, used, nowMs);
      return { outcome: 'rotated', grant: toGrant(row) };
    },

    // The clock of the caller is that of the database.
    forgetSuccessors: ({ nowMs, sinceMs }: Age): void => {
      forgetBoxes.run(nowMs - sinceMs);
    },
  };
};
