/**
 * How times are given in queries of the audit trail, and how its rows explain the end of a session.
 * @module
 */
import { reasonOf } from './events.ts';
import type { AuditRow, SessionState } from './store.ts';

const unitMs: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Pattern of the texts that {@link parseSince} accepts. */
export const sincePattern = String.raw`^([1-9]\d{0,5}[smhd]|\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z?)?)$`;

/**
 * Reads a time: some seconds, minutes, hours or days ago (`90s`, `15m`, `1h`, `7d`), or a date of
 * ISO 8601 in UTC.
 * @returns milliseconds since 1970; `undefined` when it is neither
 */
export const parseSince = (text: string, nowMs: number): number | undefined => {
  if (!new RegExp(sincePattern).test(text)) return undefined;
  const factor = unitMs[text.slice(-1)];
  if (factor !== undefined) return nowMs - Number(text.slice(0, -1)) * factor;
  const ms = Date.parse(text.includes('T') && !text.endsWith('Z') ? `${text}Z` : text);
  return Number.isNaN(ms) ? undefined : ms;
};

/** Pattern of UUIDs as this service writes them. */
export const idPattern = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

/** Whether a text can be the id of an account or a session. */
export const isId = (text: string): boolean => new RegExp(idPattern).test(text);

/** What became of a session. */
export interface Explanation {
  readonly sessionId: string;
  readonly state: 'live' | 'ended' | 'expired' | 'suspended' | 'unknown';
  /** The same as a sentence, without a subject. */
  readonly words: string;
}

const time = (ms: number): string => new Date(ms).toISOString();

/** Whether a row ends a session of this account and tenant that was open at the time. */
const isEndOf = (row: AuditRow, opened: Opened): boolean => {
  const ends = reasonOf(row.event, row.reason)?.ends;
  if (ends !== undefined && row.sessionId === opened.sessionId) return true;
  // Strictly later, because a password change opens a session while it ends the others.
  if (row.atMs <= opened.atMs) return false;
  switch (ends) {
    case 'session':
      return false;
    case 'account':
      return row.accountId === opened.accountId;
    case 'tenant':
      return row.tenantId === opened.tenantId;
    case 'deployment':
      return true;
    case undefined:
      return false;
  }
};

interface Opened {
  readonly sessionId: string;
  readonly accountId: string | null;
  readonly tenantId: string | null;
  readonly position: number | undefined;
  readonly atMs: number;
}

const byWhom: Readonly<Record<string, string>> = {
  self: '',
  cli: ', at the command line',
  system: ', by the service itself',
};

const wordsOfEnd = (row: AuditRow, sessionId: string): string => {
  // If one session ended, the row names it. If many ended, the row names the session from which the
  // act was requested.
  const asking = row.sessionId === sessionId ? row.subject : row.sessionId;
  const asked = asking === null ? '' : ` from session ${asking}`;
  const actor = row.actor === null ? '' : (byWhom[row.actor] ?? `, by the admin ${row.actor.replace(':', ' ')}`);
  const address = row.address === null ? '' : `, from address ${row.address}`;
  const request = row.requestId === null ? '' : ` (request ${row.requestId})`;
  return `it was ended at ${time(row.atMs)} by ${reasonOf(row.event, row.reason)?.endedBy ?? row.event}${asked}${actor}${address}${request}`;
};

/** The state of a session that no act has ended. */
const stateOf = (state: SessionState, nowMs: number): Omit<Explanation, 'sessionId'> => {
  if (state.expiresAtMs <= nowMs)
    return { state: 'expired', words: `it expired at ${time(state.expiresAtMs)}: it was not refreshed in time` };
  if (!state.isTenantActive) return { state: 'suspended', words: 'its tenant is suspended' };
  if (!state.isAccountActive) return { state: 'suspended', words: 'its account is disabled' };
  return { state: 'live', words: `it is still live, and can be refreshed until ${time(state.expiresAtMs)}` };
};

/**
 * Explains why a session has ended, or says that it is live.
 * @param opening the row of its sign-in; `undefined` when that was purged
 * @param state `undefined` when the session was purged, a day after it expired
 * @param rows rows that may have ended it: of the session, its account, its tenant and the
 *   deployment, in any order
 */
export const explainSession = (
  sessionId: string,
  opening: AuditRow | undefined,
  state: SessionState | undefined,
  rows: readonly AuditRow[],
  nowMs: number,
): Explanation => {
  const isOpen = state !== undefined && state.endedAtMs === null && state.isOfPresentEpoch;
  if (isOpen) return { sessionId, ...stateOf(state, nowMs) };
  const opened: Opened = {
    sessionId,
    accountId: state?.accountId ?? opening?.accountId ?? null,
    tenantId: state?.tenantId ?? opening?.tenantId ?? null,
    position: opening?.position,
    atMs: state?.createdAtMs ?? opening?.atMs ?? 0,
  };
  const ends = rows.filter((row) => isEndOf(row, opened)).sort((a, b) => a.position - b.position);
  // The session keeps the time of its end. It tells which of several possible acts has ended it.
  const end = ends.find((row) => row.atMs === state?.endedAtMs) ?? ends[0];
  if (end !== undefined) return { sessionId, state: 'ended', words: wordsOfEnd(end, sessionId) };
  if (state !== undefined) {
    const at = state.endedAtMs === null ? '' : ` at ${time(state.endedAtMs)}`;
    return { sessionId, state: 'ended', words: `it was ended${at}; the audit trail does not go back that far` };
  }
  return opening === undefined
    ? { sessionId, state: 'unknown', words: 'there is no such session, or the audit trail does not go back that far' }
    : { sessionId, state: 'expired', words: 'it expired: it was not refreshed in time, and has been deleted since' };
};
