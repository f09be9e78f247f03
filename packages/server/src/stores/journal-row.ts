/**
 * A row of the journal, as every engine stores it.
 * @module
 */
import type { JournalEntry } from '@catalytic/protocol/journal';

/** What the engines have in common; each adds where the row stands. */
export interface JournalRow {
  readonly id: JournalEntry['id'];
  readonly kind: JournalEntry['kind'];
  readonly key: string;
  readonly epoch: number | null;
  readonly keep_until: number | null;
}

/**
 * Of the rows whose time is over, the newest of the last so many stays: entries of the same moment may be dated in another order than they
 * were written. A reader knows the history that it has read by its newest entry, so that must not go while the reader may be here.
 */
export const keptRows = 100;

/** An entry; of a kind this version does not know, too, because the reader must notice that. */
export const toEntry = (row: JournalRow): JournalEntry =>
  ({
    id: row.id,
    kind: row.kind,
    key: row.key,
    keepUntilMs: row.keep_until,
    ...(row.epoch === null ? {} : { epoch: row.epoch }),
  }) as JournalEntry;
