/**
 * Port: where a process reads the journal from. Only what is read here makes a process current.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';

/**
 * One read of the journal. Everything in it comes from one statement, so it shows one moment of the database.
 * @typeParam Cursor where the next read begins; only the source looks inside
 */
export interface JournalPage<Cursor> {
  /** Name of this history of the database: one value in it, and another one after a restored backup or a failover. */
  readonly identity: string;
  /**
   * Whether the cursor of the read was made in this history, and the history was named on this server. Without that the entries are not
   * all there are, and the history needs another name: {@link JournalSource.renameHistory}.
   */
  readonly isContinued: boolean;
  /** Wall clock of the database when it answered, milliseconds since 1970. */
  readonly databaseMs: number;
  /** Whether the database that answered takes writes; a replica may lag. */
  readonly isPrimary: boolean;
  /** Whether the asking member's row is there and live. */
  readonly isMember: boolean;
  /** Rows of members in all, this one too. */
  readonly members: number;
  /** Every entry that was not in a page before the cursor. A repeated entry is harmless, a missing one is not. */
  readonly entries: readonly JournalEntry[];
  /** Where the next read begins, once `entries` have been applied. */
  readonly cursor: Cursor;
  /** What to {@link JournalSource.acknowledge}, once `entries` have been applied. */
  readonly applied: string;
}

/**
 * A connection of its own to the journal: a storm of other work must not starve it. Never used for two calls at once.
 * Every call rejects when the database fails or does not answer within a second; the source then begins again with a new connection.
 */
export interface JournalSource<Cursor = unknown> {
  /** Enters a member, live, with the length of its lease in milliseconds; resolves after the commit. */
  register(member: MemberId, leaseMs: number): Promise<void>;
  /** @param cursor absent: from the beginning */
  read(member: MemberId, cursor: Cursor | undefined): Promise<JournalPage<Cursor>>;
  /**
   * Records what a member has applied. Must travel on the connection that read it: a database that crashed in between may give the same
   * transaction ids to other transactions, and only a lost connection tells. Losing an acknowledgement is harmless.
   */
  acknowledge(member: MemberId, applied: string): Promise<void>;
  /** Removes rows of members that will never accept a token again. */
  unregister(members: readonly MemberId[]): Promise<void>;
  /** Gives the present history another name, unless another process has done so: it must still have the name `from`. */
  renameHistory(from: string): Promise<void>;
  /** Writes entries that the database has lost back into the journal; what it still has is left as it is. */
  restore(entries: readonly JournalEntry[]): Promise<void>;
  close(): Promise<void>;
}
