/**
 * Adds rows to the audit trail.
 * @module
 */
import type { AuditAct, Origin } from '../../features/audit/store.ts';
import { auditColumns } from '../audit-row.ts';

/** The values of a row, as SQL; absent values are null. */
type RowParts = AuditAct & {
  readonly at: string;
  readonly tenant?: string;
  readonly account?: string;
  readonly session?: string;
  readonly subject?: string;
  /** The parameter that holds {@link originValue}. */
  readonly by: string;
};

/**
 * SQL that adds a row within the statement of its act: `with …, trace as (${appendAudit(…)})`.
 * @param from the rest of the query from which the values are selected; each row of it adds one
 */
export const appendAudit = (parts: RowParts, from = ''): string => {
  const { at, event, reason, tenant = 'null', account = 'null', session = 'null', subject = 'null', by } = parts;
  return `insert into audit (${auditColumns.join(', ')})
   select ${at}::bigint, '${event}', '${reason}',
          ${tenant}::uuid, ${account}::uuid, ${session}::uuid, ${subject}::text,
          ${by}::jsonb ->> 'actor', ${by}::jsonb ->> 'address', ${by}::jsonb ->> 'requestId', null::integer ${from}`;
};

/** The value of the parameter that {@link appendAudit} calls `by`. */
export const originValue = (by: Origin): string => JSON.stringify(by);
