/**
 * Use case: the holder of an admin key reads the audit trail.
 * @module
 */
import { CatalyticError } from '@catalytic/protocol/errors';
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { AdminKey } from '../admin-keys/store.ts';
import type { TenantStore } from '../tenants/store.ts';
import { isAuditEvent } from './events.ts';
import { parseSince } from './rules.ts';
import type { AuditPage, AuditRow, AuditStore } from './store.ts';

/** What this use case works with. */
export interface ListAuditParts {
  readonly audit: AuditStore;
  readonly tenants: TenantStore;
  readonly nowMs: () => number;
}

/** The filters of the request. Their form has been checked. */
export interface AuditQuery {
  /** Name of a tenant. */
  readonly tenant?: string;
  readonly account?: string;
  readonly session?: string;
  readonly event?: string;
  readonly since?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

/** Rows of a page, if the query does not give a number. */
const rowsDefault = 100;

const refuseField = (name: string, message: string): CatalyticError =>
  new CatalyticError('body_invalid', { fields: [{ field: `/${name}`, message }] });

/** The tenant whose rows the key may see; `undefined`: all tenants. */
const visibleTenant = async (
  { tenants }: ListAuditParts,
  { tenantId }: AdminKey,
  name: string | undefined,
): Promise<TenantId | undefined> => {
  if (name === undefined) return tenantId ?? undefined;
  const tenant = await tenants.findByName(name);
  // A key that is bound to a tenant must not learn which other tenants exist.
  if (tenantId !== null && tenant?.id !== tenantId) throw new CatalyticError('admin_scope_insufficient');
  if (tenant === undefined) throw new CatalyticError('tenant_unknown');
  return tenant.id;
};

/**
 * Reads a page of the trail, newest first. A key that is bound to a tenant sees the rows of that
 * tenant only, and none that concern the deployment.
 * @throws {CatalyticError} `admin_scope_insufficient`, `tenant_unknown`, `body_invalid`
 */
export const listAudit = async (parts: ListAuditParts, adminKey: AdminKey, query: AuditQuery): Promise<AuditPage> => {
  const { event, since, limit, cursor } = query;
  if (event !== undefined && !isAuditEvent(event)) throw refuseField('event', 'is not an event of the audit trail');
  const sinceMs = since === undefined ? undefined : parseSince(since, parts.nowMs());
  if (since !== undefined && sinceMs === undefined) throw refuseField('since', 'is not a time');
  return parts.audit.list(
    {
      tenantId: await visibleTenant(parts, adminKey, query.tenant),
      accountId: query.account as AccountId | undefined,
      sessionId: query.session as SessionId | undefined,
      event,
      sinceMs,
      before: cursor === undefined ? undefined : Number(cursor),
    },
    limit === undefined ? rowsDefault : Number(limit),
  );
};

/** A row as it is shown, on the command line and over HTTP alike. */
export const showRow = (row: AuditRow) => ({
  at: new Date(row.atMs).toISOString(),
  event: row.event,
  reason: row.reason,
  tenant_id: row.tenantId,
  account_id: row.accountId,
  session_id: row.sessionId,
  subject: row.subject,
  actor: row.actor,
  address: row.address,
  request_id: row.requestId,
  count: row.count,
});
