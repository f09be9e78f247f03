/** Writing operations of the journal. @module */
import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import {
  entryId,
  type JournalEntry,
  keepUntilMs,
  newestIatAheadMs,
  newestIatAheadMsMin,
  type Revocation,
} from '@catalytic/protocol/journal';
import type { Purge } from '../../features/purging/store.ts';
import type { Recorded } from '../../features/revocation/store.ts';
import { keptRows } from '../journal-row.ts';

const epochOf = (revocation: Revocation): number | null => ('epoch' in revocation ? revocation.epoch : null);
const keepsSessions = (revocation: Revocation): 1 | null =>
  'keepsSessions' in revocation && revocation.keepsSessions ? 1 : null;

/** Appends entries inside the transaction of the change that causes them. */
export const journalAppender = (database: DatabaseSync) => {
  const readDeployment = database.prepare('select token_seconds_max, newest_iat from deployment');
  // A repeat adds no row: it updates the existing one, so that its commit is flushed like the
  // first.
  const insert = database.prepare(
    `insert into journal (id, kind, key, epoch, keep_until, keeps_sessions, tenant_id)
     values (?, ?, ?, ?, ?, ?, ?)
     on conflict (id) do update set id = excluded.id returning pos, keep_until`,
  );
  return {
    /** @param tenantId whose tokens it concerns; `null`: those of any tenant */
    append: (revocation: Revocation, tenantId: TenantId | null): Recorded => {
      const { token_seconds_max, newest_iat } = readDeployment.get() as Record<
        'token_seconds_max' | 'newest_iat',
        number
      >;
      const id = entryId(revocation);
      // The clock of this moment, not of the request's beginning: the entry must outlive every
      // token authorised before it, even one that was dated while the clock was ahead.
      const nowMs = Math.max(Date.now(), newest_iat);
      const keepUntil = revocation.kind === 'key' ? null : keepUntilMs(nowMs, token_seconds_max);
      const { kind, key } = revocation;
      const row = insert.get(id, kind, key, epochOf(revocation), keepUntil, keepsSessions(revocation), tenantId) as {
        pos: number;
        keep_until: number | null;
      };
      return { entries: [{ ...revocation, id, keepUntilMs: row.keep_until }], position: String(row.pos) };
    },
  };
};

/**
 * Keeps the bound of the newest `iat` above the `iat` of a token that the same transaction
 * authorises.
 */
export const iatKeeper = (database: DatabaseSync): ((nowMs: number) => void) => {
  const raise = database.prepare('update deployment set newest_iat = ? where newest_iat < ?');
  return (nowMs) => void raise.run(nowMs + newestIatAheadMs, nowMs + newestIatAheadMsMin);
};

/** Prepares the operations. */
export const journalWrites = (database: DatabaseSync) => {
  const raise = database.prepare(
    'update deployment set token_seconds_max = max(token_seconds_max, ?) returning token_seconds_max',
  );
  const purge = database.prepare(
    `delete from journal where pos in (
       select pos from journal
        where keep_until < :before
          and pos < (select max(pos) from (
                       select pos from journal
                        where keep_until < :before order by keep_until desc limit ${keptRows}))
        order by keep_until limit :rows)`,
  );
  const restore = database.prepare(
    `insert into journal (id, kind, key, epoch, keep_until, keeps_sessions) values (?, ?, ?, ?, ?, ?)
     on conflict (id) do nothing`,
  );
  const rename = database.prepare('update deployment set history = ? where history = ?');
  return {
    renameHistory: (from: string): void => {
      rename.run(randomUUID(), from);
    },
    raiseTokenSecondsMax: (seconds: number): number =>
      (raise.get(seconds) as { token_seconds_max: number }).token_seconds_max,
    // The clock of the caller is that of the database.
    purge: ({ nowMs, sinceMs, rowsMax }: Purge): number =>
      Number(purge.run({ before: nowMs - sinceMs, rows: rowsMax }).changes),
    restore: (entries: readonly JournalEntry[]): void => {
      for (const entry of entries)
        restore.run(entry.id, entry.kind, entry.key, epochOf(entry), entry.keepUntilMs, keepsSessions(entry));
    },
  };
};
