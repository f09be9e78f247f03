/**
 * Port: where a process reads the journal from. Only a read through this port makes a process
 * current.
 * @module
 */
import type { JournalId, MemberId, TenantId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';

/** An entry where it stands in the journal. */
export type PlacedEntry = JournalEntry & {
  /** The transaction that wrote it, or its position: whatever orders the journal of the engine. */
  readonly place: bigint;
  /** The tenant that it concerns; `null`: every tenant. */
  readonly tenantId: TenantId | null;
};

/** A part of the journal: every entry of one history up to a place, except those at some places. */
export interface Coverage {
  /** Name of the history. */
  readonly history: string;
  readonly upTo: bigint;
  /**
   * An entry at that place; `null` before the first. In a database that was put back to an earlier
   * state, another entry may stand there by now.
   */
  readonly id: JournalId | null;
  /** Transactions at or below that place that had not ended. */
  readonly except: readonly bigint[];
}

/** A registered guard. */
export interface LiveGuard {
  readonly id: MemberId;
  /** Id of the guard key that registered it. */
  readonly keyId: string;
  /** Length of its lease, milliseconds. */
  readonly leaseMs: number;
}

/**
 * One read of the journal. All of it comes from one statement, so it shows one moment of the
 * database.
 * @typeParam Cursor where the next read begins; only the source knows its structure
 */
export interface JournalPage<Cursor> {
  /**
   * Name of this history of the database: one value in it, and another one after a restored backup
   * or a failover.
   */
  readonly identity: string;
  /**
   * Whether the cursor of the read was made in this history, and the history was named on this
   * server. If not, the page may lack entries, and the history needs another name:
   * {@link JournalSource.renameHistory}.
   */
  readonly isContinued: boolean;
  /** Wall clock of the database when it answered, milliseconds since 1970. */
  readonly databaseMs: number;
  /** Whether the database that answered takes writes; a replica may lag. */
  readonly isPrimary: boolean;
  /** Whether the asking member's row is there and live. */
  readonly isMember: boolean;
  /** Number of workers' rows, the asking member's included. Guards do not count. */
  readonly members: number;
  /** Guards whose rows are there and live. */
  readonly guards: readonly LiveGuard[];
  /** Another number than before: guard keys were made or revoked. */
  readonly guardKeysRevision: number;
  /**
   * Every entry that no page before the cursor has held. A repeated entry is harmless, a missing
   * one is not.
   */
  readonly entries: readonly PlacedEntry[];
  /** All that this page and those before its cursor hold. */
  readonly coverage: Coverage;
  /** Where the next read begins, once `entries` have been applied. */
  readonly cursor: Cursor;
  /** Pass this to {@link JournalSource.acknowledge} once `entries` have been applied. */
  readonly applied: string;
}

/**
 * A separate connection to the journal, so that a storm of other work cannot starve it. Never used
 * for two calls at once. Every call rejects when the database fails or does not answer within a
 * second. The source then starts again with a new connection.
 */
export interface JournalSource<Cursor = unknown> {
  /**
   * Registers a member as live. Resolves after the commit.
   * @param leaseMs length of its lease, milliseconds
   */
  register(member: MemberId, leaseMs: number): Promise<void>;
  /** Reads what is new. @param cursor `undefined`: from the beginning */
  read(member: MemberId, cursor: Cursor | undefined): Promise<JournalPage<Cursor>>;
  /**
   * Records what a member has applied. It must travel on the connection that read it: a database
   * that crashed in between may give the same transaction ids to other transactions, and only the
   * lost connection shows that. Losing an acknowledgement is harmless.
   */
  acknowledge(member: MemberId, applied: string): Promise<void>;
  /**
   * Records what guards have applied, for those of the history of the last read on the same
   * connection. A coverage that is behind a recorded one changes nothing.
   */
  acknowledgeFor(guards: ReadonlyMap<MemberId, Coverage>): Promise<void>;
  /** Removes the rows of members that will never accept a token again. */
  unregister(members: readonly MemberId[]): Promise<void>;
  /**
   * Gives the present history a new name. Does nothing when another process was faster, so that its
   * name is no longer `from`.
   */
  renameHistory(from: string): Promise<void>;
  /**
   * Writes entries that the database has lost back into the journal. Entries that it still has stay
   * as they are.
   */
  restore(entries: readonly JournalEntry[]): Promise<void>;
  close(): Promise<void>;
}
