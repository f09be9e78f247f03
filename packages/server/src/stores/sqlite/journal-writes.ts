/** Writing operations of the journal. @module */
import { randomUUIDv7 } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import type { JournalId } from '@catalytic/protocol/ids';
import { type JournalEntry, keepUntilMs, type Revocation } from '@catalytic/protocol/journal';

/** Appends entries inside the transaction of the change that causes them. */
export const journalAppender = (database: DatabaseSync) => {
  const readTokenSecondsMax = database.prepare('select token_seconds_max from deployment');
  const insert = database.prepare('insert into journal (id, kind, key, epoch, keep_until) values (?, ?, ?, ?, ?)');
  return {
    append: (revocation: Revocation, nowMs: number): JournalEntry => {
      const { token_seconds_max } = readTokenSecondsMax.get() as { token_seconds_max: number };
      const id = randomUUIDv7() as JournalId;
      const keepUntil = revocation.kind === 'key' ? null : keepUntilMs(nowMs, token_seconds_max);
      const epoch = 'epoch' in revocation ? revocation.epoch : null;
      insert.run(id, revocation.kind, revocation.key, epoch, keepUntil);
      return { ...revocation, id, keepUntilMs: keepUntil };
    },
  };
};

/** Prepares the operations. */
export const journalWrites = (database: DatabaseSync) => {
  const raise = database.prepare('update deployment set token_seconds_max = max(token_seconds_max, ?)');
  const purge = database.prepare(
    'delete from journal where pos in (select pos from journal where keep_until < ? order by keep_until limit ?)',
  );
  return {
    raiseTokenSecondsMax: ({ seconds }: { seconds: number }): void => {
      raise.run(seconds);
    },
    purgeJournal: ({ beforeMs, rowsMax }: { beforeMs: number; rowsMax: number }): number =>
      Number(purge.run(beforeMs, rowsMax).changes),
  };
};
