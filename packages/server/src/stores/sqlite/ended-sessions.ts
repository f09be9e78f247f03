/** Statements that end sessions. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { SessionEndReason } from '../../features/sessions/rules.ts';

/** A session that is ended. */
interface Ended {
  readonly tenantId: TenantId;
  readonly sessionId: SessionId;
  readonly nowMs: number;
}

/**
 * Prepares the end of one session.
 * @returns ends it and says whose it was; `undefined`: it is not there, or has ended already
 */
export const sessionEnder = (
  database: DatabaseSync,
): ((session: Ended, reason: SessionEndReason) => AccountId | undefined) => {
  const end = database.prepare(
    `update session set ended_at = ?, end_reason = ? where tenant_id = ? and id = ? and ended_at is null
     returning account_id`,
  );
  return ({ tenantId, sessionId, nowMs }, reason) =>
    (end.get(nowMs, reason, tenantId, sessionId) as { account_id: AccountId } | undefined)?.account_id;
};

/** The account whose sessions end. */
interface EndedOf {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly nowMs: number;
}

/**
 * Prepares the end of all sessions that an account had below an epoch. Those opened since live on:
 * a repeat ends what the first one ended.
 */
export const sessionsEnder = (
  database: DatabaseSync,
): ((account: EndedOf, reason: SessionEndReason, belowEpoch: number) => void) => {
  const end = database.prepare(
    `update session set ended_at = ?, end_reason = ?
      where tenant_id = ? and account_id = ? and account_epoch < ? and ended_at is null`,
  );
  return ({ tenantId, accountId, nowMs }, reason, belowEpoch) =>
    void end.run(nowMs, reason, tenantId, accountId, belowEpoch);
};
