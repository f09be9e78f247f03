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

/** An entry; of a kind this version does not know, too, because the reader must notice that. */
export const toEntry = (row: JournalRow): JournalEntry =>
  ({
    id: row.id,
    kind: row.kind,
    key: row.key,
    keepUntilMs: row.keep_until,
    ...(row.epoch === null ? {} : { epoch: row.epoch }),
  }) as JournalEntry;
