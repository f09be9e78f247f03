/**
 * Rows of the audit trail, as both engines store and read them.
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { AuditFilter, AuditPage, AuditRow, NewAuditRow, SessionState } from '../features/audit/store.ts';

/** Columns that are written, in order. */
export const auditColumns = [
  'at',
  'event',
  'reason',
  'tenant_id',
  'account_id',
  'session_id',
  'subject',
  'actor',
  'address',
  'request_id',
  'count',
] as const;

/** Values of {@link auditColumns}. */
export const auditValues = (row: NewAuditRow): readonly (string | number | null)[] => [
  row.atMs,
  row.event,
  row.reason,
  row.tenantId ?? null,
  row.accountId ?? null,
  row.sessionId ?? null,
  row.subject ?? null,
  row.by.actor,
  row.by.address,
  row.by.requestId,
  row.count ?? null,
];

/**
 * Most rows examined for one page, so that a rare event in a long trail does not occupy the
 * process, or the connection, for long.
 */
const scanMax = 5000;

/**
 * Rows are out of the order of time by less than this, milliseconds: machines have different
 * clocks, and rows wait to be written.
 */
const disorderMs = 60_000;

/**
 * A row of a page, with the extent of the search. If nothing was found, all but `scanned`,
 * `reached` and `oldest` is null.
 */
export interface ListedRow {
  readonly pos: number | null;
  readonly at: number;
  readonly event: string;
  readonly reason: string | null;
  readonly tenant_id: TenantId | null;
  readonly account_id: AccountId | null;
  readonly session_id: SessionId | null;
  readonly subject: string | null;
  readonly actor: string | null;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly count: number | null;
  readonly scanned: number;
  readonly reached: number | null;
  readonly oldest: number | null;
}

/** A query that reads a page. The same text for the same `name`; values are `$1`, `$2`, … */
export interface ListQuery {
  readonly name: string;
  readonly text: string;
  readonly values: readonly (string | number)[];
}

/**
 * Makes the query of a page. Conditions with an index select the rows to examine, and the other
 * conditions filter those.
 */
export const listQuery = (filter: AuditFilter, rowsMax: number): ListQuery => {
  const values: (string | number)[] = [];
  const used: string[] = [];
  const conditions = (named: Readonly<Record<string, string | number | undefined>>): string => {
    const present = Object.entries(named).flatMap(([condition, value]) => {
      if (value === undefined) return [];
      values.push(value);
      used.push(condition.split(' ')[0] ?? '');
      return [`${condition} $${values.length}`];
    });
    return present.length === 0 ? '' : `where ${present.join(' and ')}`;
  };
  const found = conditions({
    'session_id =': filter.sessionId,
    'account_id =': filter.accountId,
    'tenant_id =': filter.tenantId,
    'pos <': filter.before,
  });
  const picked = conditions({ 'event =': filter.event, 'at >=': filter.sinceMs });
  values.push(rowsMax);
  return {
    name: `audit_list_${used.join('_')}`,
    text: `with looked as (
        select pos, ${auditColumns.join(', ')} from audit ${found} order by pos desc limit ${scanMax}
      ), extent as (
        select count(*) as scanned, min(pos) as reached, min(at) as oldest from looked
      ), picked as (
        select * from looked ${picked} order by pos desc limit $${values.length}
      )
      select picked.*, extent.scanned, extent.reached, extent.oldest
        from extent left join picked on true order by pos desc`,
    values,
  };
};

const toRow = (row: ListedRow & { readonly pos: number }): AuditRow => ({
  position: row.pos,
  atMs: row.at,
  event: row.event,
  reason: row.reason,
  tenantId: row.tenant_id,
  accountId: row.account_id,
  sessionId: row.session_id,
  subject: row.subject,
  actor: row.actor,
  address: row.address,
  requestId: row.request_id,
  count: row.count ?? 1,
});

/** Makes a page of the rows that {@link listQuery} found. */
export const toPage = (listed: readonly ListedRow[], { sinceMs = 0 }: AuditFilter, rowsMax: number): AuditPage => {
  const rows = listed.flatMap((row) => (row.pos === null ? [] : [toRow({ ...row, pos: row.pos })]));
  const last = rows.at(-1);
  if (last !== undefined && rows.length === rowsMax) return { rows, next: last.position };
  const [extent] = listed;
  const isOver = extent === undefined || extent.scanned < scanMax || (extent.oldest ?? 0) < sinceMs - disorderMs;
  return isOver || extent.reached === null ? { rows } : { rows, next: extent.reached };
};

/** A row of {@link sessionStateSql}. */
export interface SessionStateRow {
  readonly tenant_id: TenantId;
  readonly account_id: AccountId;
  readonly created_at: number;
  readonly expires_at: number;
  readonly ended_at: number | null;
  readonly account_status: string;
  readonly tenant_status: string;
  readonly account_behind: number;
  readonly tenant_behind: number;
}

/** Reads a session: `$1` is its id. */
export const sessionStateSql = `
  select s.tenant_id, s.account_id, s.created_at, s.expires_at, s.ended_at,
         a.status as account_status, t.status as tenant_status,
         a.epoch - s.account_epoch as account_behind, t.epoch - s.tenant_epoch as tenant_behind
    from session s join account a on a.id = s.account_id join tenant t on t.id = s.tenant_id
   where s.id = $1`;

/** The state in a row. */
export const toSessionState = (row: SessionStateRow): SessionState => ({
  tenantId: row.tenant_id,
  accountId: row.account_id,
  createdAtMs: row.created_at,
  expiresAtMs: row.expires_at,
  endedAtMs: row.ended_at,
  isOfPresentEpoch: row.account_behind === 0 && row.tenant_behind === 0,
  isAccountActive: row.account_status === 'active',
  isTenantActive: row.tenant_status === 'active',
});
