/** Guards in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { GuardStore } from '../../features/guards/store.ts';
import { type PlacedRow, toPlacedEntry } from './journal.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** Without entries one row says which history the database has, and all else in it is null. */
type PageRow = { readonly isSameHistory: 0 | 1 } & (PlacedRow | { readonly pos: null });

/** @param reader connection for reading */
export const sqliteGuards = (reader: DatabaseSync, writer: Writer): GuardStore => {
  const write = writer.of('guards');
  const page = reader.prepare(
    `select (select history from deployment) = :history as isSameHistory, part.*
       from (select 1) left join (
              select pos, id, kind, key, epoch, keep_until, keeps_sessions, tenant_id from journal
               where pos > :after and pos <= :upTo
                 and (:tenant is null or tenant_id = :tenant or tenant_id is null)
               order by pos limit :rowsMax) part
      order by pos`,
  );
  return {
    register: write('register'),
    leave: write('leave'),
    seen: write('seen'),
    page: async ({ history, after, upTo, tenantId, rowsMax }) => {
      const values = { history, after: after?.place ?? 0, upTo, tenant: tenantId, rowsMax };
      const rows = readRows<PageRow>(page, values);
      return {
        isSameHistory: rows[0]?.isSameHistory === 1,
        entries: rows.flatMap((row) => (row.pos === null ? [] : [toPlacedEntry(row)])),
      };
    },
  };
};
