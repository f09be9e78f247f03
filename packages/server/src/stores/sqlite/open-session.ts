/** Writing operations that open sessions: a sign-in, and a password change. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { SessionId } from '@catalytic/protocol/ids';
import type { Recorded } from '../../features/revocation/store.ts';
import {
  openingRefusal,
  passwordChangeRefusal,
  type SessionOpening,
  type Standing,
  sessionEnds,
  sessionOpenings,
} from '../../features/sessions/rules.ts';
import type {
  Grant,
  NewSession,
  OpenedSession,
  OpeningRefusal,
  PasswordChange,
  SessionRefusal,
} from '../../features/sessions/store.ts';
import { isInGoodStanding, isUnended } from '../session-sql.ts';
import { auditAppender } from './audit-writes.ts';
import { sessionsEnder } from './ended-sessions.ts';
import { iatKeeper, journalAppender } from './journal-writes.ts';
import { tokenInserter } from './refresh-token-rows.ts';
import { sessionLimiter } from './session-limit.ts';

/** Prepares the look at an account that asks for a session. */
const accountReader = (database: DatabaseSync) => {
  const read = database.prepare(
    `select a.status as accountStatus, t.status as tenantStatus
       from account a join tenant t on t.id = a.tenant_id where a.tenant_id = ? and a.id = ?`,
  );
  return ({ tenantId, accountId }: Pick<NewSession, 'tenantId' | 'accountId'>): Standing | undefined =>
    read.get(tenantId, accountId) as Standing | undefined;
};

/** Prepares the opening of one session. */
const sessionOpener = (database: DatabaseSync, audit: ReturnType<typeof auditAppender>) => {
  const readAccount = accountReader(database);
  const keepIat = iatKeeper(database);
  // The statement that authorises a sign-in: account, tenant, password and epochs are checked and
  // copied in one.
  const open = database.prepare(
    `insert into session
            (id, tenant_id, account_id, account_epoch, tenant_epoch, amr, authenticated_at, created_at, expires_at)
     select :id, a.tenant_id, a.id, a.epoch, t.epoch, :amr, :now, :now, :expires
       from account a join tenant t on t.id = a.tenant_id
      where a.tenant_id = :tenant and a.id = :account and a.password_hash = :passwordHash
        and (:email is null or a.email = :email) and ${isInGoodStanding}
     returning account_epoch as accountEpoch, tenant_epoch as tenantEpoch,
               (select roles from account where id = :account) as roles`,
  );
  const insertToken = tokenInserter(database);
  return (input: Omit<NewSession, 'sessionsMax'>, opening: SessionOpening): Grant | OpeningRefusal => {
    const { tenantId, accountId, passwordHash, email = null, amr, nowMs, refreshToken, by } = input;
    const sessionId = randomUUIDv7() as SessionId;
    const opened = open.get({
      id: sessionId,
      tenant: tenantId,
      account: accountId,
      passwordHash,
      email,
      amr: JSON.stringify(amr),
      now: nowMs,
      expires: refreshToken.expiresAtMs,
    }) as (Pick<Grant, 'accountEpoch' | 'tenantEpoch'> & { readonly roles: string }) | undefined;
    if (opened === undefined) return openingRefusal(readAccount(input));
    insertToken(refreshToken, { tenantId, sessionId });
    keepIat(nowMs);
    audit.append({ ...sessionOpenings[opening], atMs: nowMs, tenantId, accountId, sessionId, by });
    return {
      tenantId,
      accountId,
      sessionId,
      accountEpoch: opened.accountEpoch,
      tenantEpoch: opened.tenantEpoch,
      roles: JSON.parse(opened.roles) as readonly string[],
      amr,
      authenticatedAtMs: nowMs,
    };
  };
};

/** Prepares the operations. */
export const openingWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const openOne = sessionOpener(database, audit);
  const readAccount = accountReader(database);
  const limit = sessionLimiter(database, journal, audit);
  const endSessions = sessionsEnder(database);
  // The statement that changes a password: hash, account, tenant and the asking session are all as
  // they must be, or nothing happens.
  const replacePassword = database.prepare(
    `update account as a set password_hash = :to, epoch = epoch + 1
      where a.tenant_id = :tenant and a.id = :account and a.password_hash = :from
        and exists (
          select 1 from session s join tenant t on t.id = s.tenant_id
           where s.id = :session and s.account_id = a.id and ${isUnended} and ${isInGoodStanding})
     returning epoch`,
  );
  const isLive = database.prepare(
    `select 1 from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
      where s.tenant_id = ? and s.account_id = ? and s.id = ? and ${isUnended}`,
  );
  return {
    open: (input: NewSession): OpenedSession | OpeningRefusal => {
      const grant = openOne(input, 'password');
      if (typeof grant === 'string') return grant;
      const displaced = limit(grant, input);
      return displaced === undefined ? grant : { ...grant, displaced };
    },

    changePassword: (
      change: PasswordChange,
    ): { grant: Grant; recorded: Recorded } | SessionRefusal | 'password_changed' => {
      const { tenantId, accountId, sessionId, from, to, nowMs, by } = change;
      const values = { tenant: tenantId, account: accountId, session: sessionId, from, to };
      const raised = replacePassword.get(values) as { epoch: number } | undefined;
      if (raised === undefined) {
        const isAskingLive = isLive.get(tenantId, accountId, sessionId) !== undefined;
        return passwordChangeRefusal(readAccount(change), isAskingLive);
      }
      endSessions(change, 'password_changed', raised.epoch);
      const grant = openOne({ ...change, passwordHash: to }, 'password_change');
      // Thrown, not returned: what was changed so far is undone.
      if (typeof grant === 'string') throw new Error(`Cannot open a session after the password change: ${grant}`);
      audit.append({ ...sessionEnds.password_changed, atMs: nowMs, by, tenantId, accountId, sessionId });
      return { grant, recorded: journal.append({ kind: 'account', key: accountId, epoch: raised.epoch }, tenantId) };
    },
  };
};
