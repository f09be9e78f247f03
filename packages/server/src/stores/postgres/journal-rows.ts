/**
 * Appends rows to the journal, and reads them.
 * @module
 */
import type { PlacedEntry } from '@catalytic/guard/journal-source';
import type { TenantId } from '@catalytic/protocol/ids';
import { keepUntilMs } from '@catalytic/protocol/journal';
import type { Recorded } from '../../features/revocation/store.ts';
import { type JournalRow as CommonRow, toEntry } from '../journal-row.ts';

/** A row of a query. */
export interface JournalRow extends CommonRow {
  /** The transaction that wrote it: 64 bits, so never a number. */
  readonly xid: string;
  /** The history it was written in. */
  readonly history: string;
}

/** A row that says which tenant it concerns. */
export interface PlacedRow extends JournalRow {
  readonly tenant_id: TenantId | null;
}

/** The entry in a row, where it stands. */
export const toPlacedEntry = (row: PlacedRow): PlacedEntry => ({
  ...toEntry(row),
  place: BigInt(row.xid),
  tenantId: row.tenant_id,
});

/**
 * The position of an entry, or a snapshot, with its history: they cannot be compared with those of
 * another history.
 */
export const placeIn = (history: string | null, place: string): string => `${history ?? ''} ${place}`;

/** The entries that a statement with {@link appendEntry} has committed. */
export const toRecorded = (rows: readonly JournalRow[]): Recorded => ({
  entries: rows.map(toEntry),
  position: placeIn(rows[0]?.history ?? null, rows[0]?.xid ?? '0'),
});

/** As {@link toRecorded}; `undefined` where the statement has found nothing to revoke. */
export const toRecordedIfAny = (rows: readonly JournalRow[]): Recorded | undefined =>
  rows.length === 0 ? undefined : toRecorded(rows);

/**
 * The present wall clock of the database, milliseconds. `now()` would be that of the transaction's
 * beginning.
 */
export const databaseMs = '(extract(epoch from clock_timestamp()) * 1000)::bigint';

const keepUntil = `greatest(${databaseMs}, (select newest_iat from deployment)) + ${keepUntilMs(0, 0)}
  + (select token_seconds_max from deployment) * 1000::bigint`;

/** The id of an entry: `entryId` of the protocol, in SQL. */
const entryId = (kind: string, key: string, epoch: string): string => {
  if (kind === 'session' || kind === 'token') return `(${key})::uuid`;
  const hex = `encode(sha256(convert_to(concat_ws(' ', '${kind}', (${key})::text, ${epoch}), 'UTF8')), 'hex')`;
  return `left(overlay(overlay(${hex} placing '8' from 13 for 1) placing '8' from 17 for 1), 32)::uuid`;
};

/**
 * SQL that appends an entry within the statement of the change that causes it. A repeat adds no
 * row: it updates the existing one, so that its commit waits for disk and standby like the first.
 * @param parts SQL of kind, key, epoch and tenant, `null` for any; and whether the sessions of an
 *   account go on
 * @param from the rest of the query from which they are selected
 * @param keep SQL of the time until which it is kept
 */
export const appendEntry = (
  {
    kind,
    key,
    epoch,
    tenant,
    keepsSessions = false,
  }: {
    readonly kind: string;
    readonly key: string;
    readonly epoch: string;
    readonly tenant: string;
    readonly keepsSessions?: boolean;
  },
  from = '',
  keep = keepUntil,
): string =>
  `insert into journal (id, kind, key, epoch, keep_until, keeps_sessions, tenant_id)
   select ${entryId(kind, key, epoch)}, '${kind}', (${key})::text, ${epoch}, ${keep},
          ${keepsSessions ? 'true' : 'null'}, (${tenant})::uuid ${from}
   on conflict (id) do update set id = excluded.id
   returning id, xid, kind, key, epoch, keep_until, keeps_sessions, (select history from deployment) as history`;
