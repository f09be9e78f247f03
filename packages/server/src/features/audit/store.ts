/**
 * Port: the audit trail. Rows are added and, when their time is over, purged
 * (`DeploymentStore.purgeAudit`). No operation changes a row.
 *
 * An act that changes something writes its row in the transaction of the change. Each engine has
 * one call for that (`stores/sqlite/audit-writes.ts`, `stores/postgres/audit-rows.ts`). An act that
 * changes nothing, such as a refused sign-in, goes through an {@link AuditSink}.
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { AuditAct, AuditEvent } from './events.ts';

export type { AuditAct, AuditEvent } from './events.ts';

/**
 * The actor: the client itself, the admin key with this id, the command line, or the service
 * itself.
 */
export type Actor = 'self' | `key:${string}` | 'cli' | 'system';

/** The actor of an act, and where the request came from. */
export interface Origin {
  readonly actor: Actor;
  /** Address of the peer; `null` for an act without a request. */
  readonly address: string | null;
  readonly requestId: string | null;
}

/**
 * A row about to be written. It holds only ids and words of the table of events: no email,
 * password, token or other text from a client. The one exception is the id of a request, which a
 * client may choose if it is short and harmless.
 */
export type NewAuditRow = AuditAct & {
  readonly atMs: number;
  readonly tenantId?: TenantId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly sessionId?: SessionId | undefined;
  /** Id of a key, name of a process, or id of the session from which the act was requested. */
  readonly subject?: string | undefined;
  readonly by: Origin;
  /** Number of equal acts that the row stands for; time and request are those of the first. @default 1 */
  readonly count?: number;
};

/**
 * A row as it is read. A row of an earlier version may lack fields, and a row of a later version
 * may hold unknown words.
 */
export interface AuditRow {
  /** Later rows have higher positions. Acts at the same time may have any order. */
  readonly position: number;
  readonly atMs: number;
  readonly event: string;
  readonly reason: string | null;
  readonly tenantId: TenantId | null;
  readonly accountId: AccountId | null;
  readonly sessionId: SessionId | null;
  readonly subject: string | null;
  readonly actor: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  /** Number of equal acts that the row stands for. */
  readonly count: number;
}

/** Selects rows. */
export interface AuditFilter {
  readonly tenantId?: TenantId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly sessionId?: SessionId | undefined;
  readonly event?: AuditEvent | undefined;
  /** Only rows that are not older, milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Only rows before this position, at which the last page ended. */
  readonly before?: number | undefined;
}

/** Some of the rows, newest first. */
export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /**
   * Where the next page begins; absent: there are no more rows. A short or empty page may have a
   * next one, because its work is bounded.
   */
  readonly next?: number;
}

/** The state of a session, besides its rows. */
export interface SessionState {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | null;
  /** Whether neither epoch was raised since the session was opened. */
  readonly isOfPresentEpoch: boolean;
  readonly isAccountActive: boolean;
  readonly isTenantActive: boolean;
}

/** The audit trail. Every engine passes `store.contract.ts`. */
export interface AuditStore {
  /** Writes rows that belong to no other transaction, all of them or none. */
  record(rows: readonly NewAuditRow[]): Promise<void>;
  /** Reads up to `rowsMax` rows, newest first. It examines a bounded number of rows. */
  list(filter: AuditFilter, rowsMax: number): Promise<AuditPage>;
  /** A session that has not been purged yet. */
  findSession(id: SessionId): Promise<SessionState | undefined>;
}

/**
 * Takes rows that belong to no transaction. Never waits, never throws. Equal acts in short order
 * become one row with a count, and so do those that find no place of their own.
 */
export interface AuditSink {
  add(row: NewAuditRow): void;
}
