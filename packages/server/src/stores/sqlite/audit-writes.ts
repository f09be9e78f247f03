/** Writing operations of the audit trail. @module */
import type { DatabaseSync } from 'node:sqlite';
import type { NewAuditRow } from '../../features/audit/store.ts';
import { auditColumns, auditValues } from '../audit-row.ts';

/** Adds rows inside the transaction of the act they tell of. */
export const auditAppender = (database: DatabaseSync) => {
  const insert = database.prepare(
    `insert into audit (${auditColumns.join(', ')}) values (${auditColumns.map(() => '?').join(', ')})`,
  );
  return {
    append: (row: NewAuditRow): void => {
      insert.run(...auditValues(row));
    },
  };
};

/** Prepares the operations. */
export const auditWrites = (database: DatabaseSync) => {
  const audit = auditAppender(database);
  return {
    record: (rows: readonly NewAuditRow[]): void => {
      for (const row of rows) audit.append(row);
    },
  };
};
