/**
 * A row of the journal, as every engine stores it.
 * @module
 */
import type { JournalEntry } from '@catalytic/protocol/journal';

/** The columns that both engines have. Each engine adds the position of the row. */
export interface JournalRow {
  readonly id: JournalEntry['id'];
  readonly kind: JournalEntry['kind'];
  readonly key: string;
  readonly epoch: number | null;
  readonly keep_until: number | null;
  /** Null, 0 or false: they end. */
  readonly keeps_sessions: boolean | number | null;
}

/**
 * How many of the last rows whose time is over are compared to find the newest one, which stays.
 * Entries of the same moment may be dated in another order than they were written. A reader
 * recognises the history that it has read by the newest entry, so that entry must not be purged.
 */
export const keptRows = 100;

/**
 * The entry in a row. It may be of a kind that this version does not know, because the reader must
 * notice that.
 */
export const toEntry = (row: JournalRow): JournalEntry =>
  ({
    id: row.id,
    kind: row.kind,
    key: row.key,
    keepUntilMs: row.keep_until,
    ...(row.epoch === null ? {} : { epoch: row.epoch }),
    ...(row.keeps_sessions ? { keepsSessions: true } : {}),
  }) as JournalEntry;
