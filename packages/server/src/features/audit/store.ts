/**
 * Port: the audit trail. Rows are added and, when their time is over, purged (`DeploymentStore.purgeAudit`); nothing changes one.
 *
 * An act that changes something writes its row in the transaction of the change: each engine has one call for that (`stores/sqlite/audit-writes.ts`,
 * `stores/postgres/audit-rows.ts`). What changes nothing, such as a refused sign-in, goes through an {@link AuditSink}.
 * @module
 */
import type { AccountId, SessionId, TenantId } from '@catalytic/protocol/ids';
import type { AuditAct, AuditEvent } from './events.ts';

export type { AuditAct, AuditEvent } from './events.ts';

/** Who acts: the client itself, the admin key of this id, somebody at the command line, the service by itself. */
export type Actor = 'self' | `key:${string}` | 'cli' | 'system';

/** Who asked for an act, and from where. */
export interface Origin {
  readonly actor: Actor;
  /** Address of the peer; `null` where no connection asked. */
  readonly address: string | null;
  readonly requestId: string | null;
}

/**
 * A row about to be written. It holds ids and words of the table of events only: no email, password, token, or other text that a client sent,
 * but for the id of a request, which may be the client's own where it is short and harmless.
 */
export type NewAuditRow = AuditAct & {
  readonly atMs: number;
  readonly tenantId?: TenantId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly sessionId?: SessionId | undefined;
  /** Id of a key, name of a process, or id of the session that asked. */
  readonly subject?: string | undefined;
  readonly by: Origin;
};

/** A row as it is read. What an earlier version wrote lacks what came later, and a later one may have written other words. */
export interface AuditRow {
  /** Later rows have higher positions, but for acts at the same time. */
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
}

/** Which rows. */
export interface AuditFilter {
  readonly tenantId?: TenantId | undefined;
  readonly accountId?: AccountId | undefined;
  readonly sessionId?: SessionId | undefined;
  readonly event?: AuditEvent | undefined;
  /** Not older, milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Only rows before this position: where the last page ended. */
  readonly before?: number | undefined;
}

/** Some of the rows, newest first. */
export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** Where the next page begins; absent: there are no more. A page may be short, or empty, and have a next one: its work is bounded. */
  readonly next?: number;
}

/** What is known of a session besides its rows. */
export interface SessionState {
  readonly tenantId: TenantId;
  readonly accountId: AccountId;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly endedAtMs: number | null;
  /** Whether no epoch was raised since it was opened. */
  readonly isOfPresentEpoch: boolean;
  readonly isAccountActive: boolean;
  readonly isTenantActive: boolean;
}

/** The audit trail. Every engine passes `store.contract.ts`. */
export interface AuditStore {
  /** Writes rows that belong to no other transaction: all of them or none. */
  record(rows: readonly NewAuditRow[]): Promise<void>;
  /** Reads up to `rowsMax` rows, newest first, looking at a bounded number of them. */
  list(filter: AuditFilter, rowsMax: number): Promise<AuditPage>;
  /** A session that has not been purged yet. */
  findSession(id: SessionId): Promise<SessionState | undefined>;
}

/** Takes rows that belong to no transaction. Never waits, never throws; what there is no room for is dropped and counted. */
export interface AuditSink {
  add(row: NewAuditRow): void;
}
