/** Writing operations of the deployment. @module */
import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { KeyId } from '@catalytic/protocol/ids';
import type { HistoryStart, NewHistory } from '../../features/deployment/store.ts';
import type { Purge } from '../../features/purging/store.ts';
import { formerGuards } from '../guard-row.ts';
import { auditAppender } from './audit-writes.ts';
import { journalAppender } from './journal-writes.ts';
import { signingKeyWrites } from './signing-key-writes.ts';

/** Prepares the operations. */
export const deploymentWrites = (database: DatabaseSync) => {
  const journal = journalAppender(database);
  const audit = auditAppender(database);
  const { addSuccessor } = signingKeyWrites(database);
  const listKeys = database.prepare('select kid from signing_key');
  const retireKeys = database.prepare('update signing_key set retires_at = ? where kid <> ?');
  const endSessions = database.prepare(
    `update session set ended_at = ?, end_reason = 'logout_all' where ended_at is null`,
  );
  const removeWorkers = database.prepare("delete from member where kind is not 'guard'");
  const silenceGuards = database.prepare("update member set state = 'leaving', applied = null");
  const addFormerGuards = database.prepare(
    "insert into member (id, state, lease_ms, kind, name) values (?, 'leaving', ?, 'guard', ?)",
  );
  const raiseGeneration = database.prepare('update deployment set generation = generation + 1, history = ?');
  // The order of positions is nearly that of time. Only the first rows are examined, so a purge
  // without old rows ends at once.
  const purgeAudit = database.prepare(
    'delete from audit where pos in (select pos from audit order by pos limit ?) and at < ?',
  );
  return {
    // The clock of the caller is that of the database.
    purgeAudit: ({ nowMs, sinceMs, rowsMax }: Purge): number =>
      Number(purgeAudit.run(rowsMax, nowMs - sinceMs).changes),

    beginNewHistory: ({ key, nowMs, by }: HistoryStart): NewHistory => {
      const row = { event: 'authz_admin', atMs: nowMs, by } as const;
      const killed = listKeys.all() as unknown as readonly { readonly kid: KeyId }[];
      for (const { kid } of killed) {
        journal.append({ kind: 'key', key: kid }, null);
        audit.append({ ...row, reason: 'signing_key_killed', subject: kid });
      }
      addSuccessor({ key, by });
      retireKeys.run(nowMs, key.kid);
      const { changes } = endSessions.run(nowMs);
      removeWorkers.run();
      silenceGuards.run();
      addFormerGuards.run(randomUUIDv7(), formerGuards.leaseMs, formerGuards.name);
      raiseGeneration.run(randomUUID());
      audit.append({ ...row, reason: 'history_begun', subject: key.kid });
      return { keysKilled: killed.length, sessionsEnded: Number(changes) };
    },
  };
};
