/** Writing operations of the journal. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { JournalId } from '@catalytic/protocol/ids';
import { type JournalEntry, keepUntilMs, type Revocation } from '@catalytic/protocol/journal';
import type { Recorded } from '../../features/revocation/store.ts';

const epochOf = (revocation: Revocation): number | null => ('epoch' in revocation ? revocation.epoch : null);

/** Appends entries inside the transaction of the change that causes them. */
export const journalAppender = (database: DatabaseSync) => {
  const readTokenSecondsMax = database.prepare('select token_seconds_max from deployment');
  const insert = database.prepare('insert into journal (id, kind, key, epoch, keep_until) values (?, ?, ?, ?, ?)');
  return {
    append: (revocation: Revocation): Recorded => {
      const { token_seconds_max } = readTokenSecondsMax.get() as { token_seconds_max: number };
      const id = randomUUIDv7() as JournalId;
      // The clock of this moment, not of the request's beginning: the entry must outlive every token authorised before it.
      const keepUntil = revocation.kind === 'key' ? null : keepUntilMs(Date.now(), token_seconds_max);
      const { lastInsertRowid } = insert.run(id, revocation.kind, revocation.key, epochOf(revocation), keepUntil);
      return { entries: [{ ...revocation, id, keepUntilMs: keepUntil }], position: String(lastInsertRowid) };
    },
  };
};

/** Prepares the operations. */
export const journalWrites = (database: DatabaseSync) => {
  const raise = database.prepare(
    'update deployment set token_seconds_max = max(token_seconds_max, ?) returning token_seconds_max',
  );
  const purge = database.prepare(
    'delete from journal where pos in (select pos from journal where keep_until < ? order by keep_until limit ?)',
  );
  const restore = database.prepare(
    'insert into journal (id, kind, key, epoch, keep_until) values (?, ?, ?, ?, ?) on conflict (id) do nothing',
  );
  return {
    raiseTokenSecondsMax: ({ seconds }: { seconds: number }): number =>
      (raise.get(seconds) as { token_seconds_max: number }).token_seconds_max,
    purgeJournal: ({ beforeMs, rowsMax }: { beforeMs: number; rowsMax: number }): number =>
      Number(purge.run(beforeMs, rowsMax).changes),
    restoreJournal: ({ entries }: { entries: readonly JournalEntry[] }): void => {
      for (const entry of entries) restore.run(entry.id, entry.kind, entry.key, epochOf(entry), entry.keepUntilMs);
    },
  };
};
