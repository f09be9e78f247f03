/** The audit trail in SQLite. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { AuditStore } from '../../features/audit/store.ts';
import {
  type ListedRow,
  listQuery,
  type SessionStateRow,
  sessionStateSql,
  toPage,
  toSessionState,
} from '../audit-row.ts';
import { readRow, readRows } from './unavailable.ts';
import type { Writer } from './writer.ts';

/** @param reader connection for reading */
export const sqliteAudit = (reader: DatabaseSync, writer: Writer): AuditStore => {
  const session = reader.prepare(sessionStateSql);
  return {
    record: writer.of('audit')('record'),
    list: async (filter, rowsMax) => {
      const { text, values } = listQuery(filter, rowsMax);
      const named = Object.fromEntries(values.map((value, index) => [`$${index + 1}`, value]));
      return toPage(readRows<ListedRow>(reader.prepare(text), named), filter, rowsMax);
    },
    findSession: async (id) => {
      const row = readRow<SessionStateRow>(session, { $1: id });
      return row === undefined ? undefined : toSessionState(row);
    },
  };
};
