/** The journal in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { JournalId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { JournalStore } from '../../features/revocation/store.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

interface JournalRow {
  readonly id: JournalId;
  readonly kind: JournalEntry['kind'];
  readonly key: string;
  readonly epoch: number | null;
  readonly keep_until: number | null;
}

const toEntry = (row: JournalRow): JournalEntry =>
  ({
    id: row.id,
    kind: row.kind,
    key: row.key,
    keepUntilMs: row.keep_until,
    ...(row.epoch === null ? {} : { epoch: row.epoch }),
  }) as JournalEntry;

/** @param reader connection for reading */
export const sqliteJournal = (reader: DatabaseSync, writer: Writer): JournalStore => {
  const live = reader.prepare(
    'select id, kind, key, epoch, keep_until from journal where keep_until is null or keep_until >= ? order by pos',
  );
  return {
    readLive: async (nowMs) => readRows<JournalRow>(live, nowMs).map(toEntry),
    raiseTokenSecondsMax: (seconds) => writer.run('raiseTokenSecondsMax', { seconds }),
    purge: (beforeMs, rowsMax) => writer.run('purgeJournal', { beforeMs, rowsMax }),
  };
};
