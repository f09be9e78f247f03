/** The audit trail in PostgreSQL. @module */
import type { AuditStore } from '../../features/audit/store.ts';
import {
  auditColumns,
  auditValues,
  type ListedRow,
  listQuery,
  type SessionStateRow,
  sessionStateSql,
  toPage,
  toSessionState,
} from '../audit-row.ts';
import { type Run, statement } from './transactions.ts';

const record = statement(
  'audit_record',
  `insert into audit (${auditColumns.join(', ')})
   select ${auditColumns.join(', ')} from jsonb_populate_recordset(null::audit, $1::jsonb)`,
);
const findSession = statement('audit_find_session', sessionStateSql);

/** @param run runs transactions */
export const postgresAudit = (run: Run): AuditStore => ({
  record: async (rows) => {
    const objects = rows.map((row) =>
      Object.fromEntries(auditValues(row).map((value, index) => [auditColumns[index], value])),
    );
    await run('*', record(JSON.stringify(objects)));
  },
  list: async (filter, rowsMax) => {
    const { name, text, values } = listQuery(filter, rowsMax);
    const rows = await run<ListedRow>(filter.tenantId ?? '*', statement(name, text)(...values));
    return toPage(rows, filter, rowsMax);
  },
  findSession: async (id) => {
    const [row] = await run<SessionStateRow>('*', findSession(id));
    return row === undefined ? undefined : toSessionState(row);
  },
});
