/**
 * Use case: why was I logged out?
 * @module
 */
import type { AccountId, SessionId } from '@catalytic/protocol/ids';
import { eventsThatEnd } from './events.ts';
import { type Explanation, explainSession } from './rules.ts';
import type { AuditFilter, AuditRow, AuditStore } from './store.ts';

/** What this use case works with. */
export interface ExplainParts {
  readonly audit: AuditStore;
  readonly nowMs: () => number;
}

/**
 * Most rows of one kind that are read for one explanation. No account has more sign-outs during one
 * session.
 */
const rowsMax = 1000;
/** Most sessions of an account that are explained, from the newest on. */
const sessionsMax = 10;

/** Rows of a filter, newest first, collected from as many pages as needed. */
export const collectRows = async (
  audit: AuditStore,
  filter: AuditFilter,
  rowsWanted: number,
): Promise<readonly AuditRow[]> => {
  const rows: AuditRow[] = [];
  for (let before = filter.before; ; ) {
    const page = await audit.list({ ...filter, before }, rowsWanted - rows.length);
    rows.push(...page.rows);
    if (page.next === undefined || rows.length >= rowsWanted) return rows;
    before = page.next;
  }
};

/** What became of one session. */
export const explainOneSession = async ({ audit, nowMs }: ExplainParts, sessionId: SessionId): Promise<Explanation> => {
  const state = await audit.findSession(sessionId);
  const own = await collectRows(audit, { sessionId }, rowsMax);
  const opening = own.findLast(({ event }) => event === 'authn_login_success');
  const sinceMs = state?.createdAtMs ?? opening?.atMs;
  const accountId = state?.accountId ?? opening?.accountId ?? undefined;
  if (sinceMs === undefined || accountId === undefined) return explainSession(sessionId, opening, state, own, nowMs());
  const tenantId = state?.tenantId ?? opening?.tenantId ?? undefined;
  const filters: readonly AuditFilter[] = [
    ...eventsThatEnd('account').map((event) => ({ event, accountId })),
    ...eventsThatEnd('tenant').map((event) => ({ event, tenantId })),
    ...eventsThatEnd('deployment').map((event) => ({ event })),
  ];
  const others: AuditRow[] = [];
  for (const filter of filters) others.push(...(await collectRows(audit, { ...filter, sinceMs }, rowsMax)));
  return explainSession(sessionId, opening, state, [...own, ...others], nowMs());
};

/** What became of the newest sessions of an account, newest first. */
export const explainAccount = async (parts: ExplainParts, accountId: AccountId): Promise<readonly Explanation[]> => {
  const opened = await collectRows(parts.audit, { accountId, event: 'authn_login_success' }, sessionsMax);
  const explanations: Explanation[] = [];
  for (const { sessionId } of opened)
    if (sessionId !== null) explanations.push(await explainOneSession(parts, sessionId));
  return explanations;
};
