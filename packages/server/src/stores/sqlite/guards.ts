/** Guards in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { TenantId } from '@catalytic/protocol/ids';
import type { GuardStore } from '../../features/guards/store.ts';
import { type JournalRow, toEntry } from '../journal-row.ts';
import { readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** Without entries one row says which history the database has, and all else in it is null. */
interface PageRow {
  readonly isSameHistory: 0 | 1;
  readonly pos: number | null;
  readonly tenant_id: TenantId | null;
}

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
      const rows = readRows<PageRow & JournalRow>(page, values);
      return {
        isSameHistory: rows[0]?.isSameHistory === 1,
        entries: rows.flatMap((row) =>
          row.pos === null ? [] : [{ ...toEntry(row), place: BigInt(row.pos), tenantId: row.tenant_id }],
        ),
      };
    },
  };
};
