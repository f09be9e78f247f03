/**
 * Rows of the journal: how they are appended, and what they say.
 * @module
 */
import { keepUntilMs } from '@catalytic/protocol/journal';
import type { Recorded } from '../../features/revocation/store.ts';
import { type JournalRow as CommonRow, toEntry } from '../journal-row.ts';

/** A row as a query returns it. */
export interface JournalRow extends CommonRow {
  /** The transaction that wrote it: 64 bits, so never a number. */
  readonly xid: string;
}

/** What a statement with {@link appendEntry} has committed. */
export const toRecorded = (rows: readonly JournalRow[]): Recorded => ({
  entries: rows.map(toEntry),
  position: rows[0]?.xid ?? '0',
});

// The wall clock of the database as it is now; `now()` would be that of the transaction's beginning.
const keepUntil = `(extract(epoch from clock_timestamp()) * 1000)::bigint + ${keepUntilMs(0, 0)}
  + (select token_seconds_max from deployment) * 1000::bigint`;

/**
 * SQL that appends an entry inside the statement of the change that causes it.
 * @param parts SQL of the new id, kind, key and epoch
 * @param from the rest of the query they are selected from
 */
export const appendEntry = (
  parts: { readonly id: string; readonly kind: string; readonly key: string; readonly epoch: string },
  from = '',
): string =>
  `insert into journal (id, kind, key, epoch, keep_until)
   select ${parts.id}::uuid, '${parts.kind}', ${parts.key}::text, ${parts.epoch}, ${keepUntil} ${from}
   returning id, xid, kind, key, epoch, keep_until`;
