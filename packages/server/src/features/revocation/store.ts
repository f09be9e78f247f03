/**
 * Ports: the journal, and the members that must have applied it.
 * @module
 */
import type { JournalSource } from '@catalytic/guard/journal-source';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { Purge } from '../deployment/store.ts';

export type { JournalPage, JournalSource } from '@catalytic/guard/journal-source';

/** Entries that one committed transaction has added to the journal. */
export interface Recorded {
  readonly entries: readonly JournalEntry[];
  /** Where they stand; only {@link MemberStore.covers} looks inside. */
  readonly position: string;
}

/**
 * The durable list of revocations. Rows are written by the operation that causes them, in its transaction (sessions, accounts, keys);
 * this port reads and forgets them. Every engine passes `store.contract.ts`.
 */
export interface JournalStore {
  /** Opens a connection of its own for the reader of this process. */
  openSource(): JournalSource;
  /**
   * Raises the longest access token lifetime this deployment has ever used, seconds; never lowers it. Must be durable before a process
   * mints with that lifetime, because it decides how long entries are kept. Returns the longest one.
   */
  raiseTokenSecondsMax(seconds: number): Promise<number>;
  /**
   * Deletes entries whose time has been over for that long. The newest of them stay: a reader recognises the history that it has read by
   * the newest entry.
   * @returns how many were deleted
   */
  purge(purge: Purge): Promise<number>;
}

/** A process registered to accept tokens, as its row says. */
export interface Member {
  readonly id: MemberId;
  /** `leaving`: silent for too long; its reads renew nothing any more, and it is removed after a full wait. */
  readonly state: 'live' | 'leaving';
  /** Length of its lease, milliseconds; `null`: an older version registered it, which did not say. */
  readonly leaseMs: number | null;
  /** Last acknowledgement it wrote; `null` before the first. */
  readonly applied: string | null;
}

/** The rows of all members. Every engine passes `store.contract.ts`. */
export interface MemberStore {
  /** All rows, read on the primary. */
  list(): Promise<readonly Member[]>;
  /** Marks members as leaving; resolves after the commit. Those that are gone stay gone. */
  markLeaving(ids: readonly MemberId[]): Promise<void>;
  /** Removes rows. */
  remove(ids: readonly MemberId[]): Promise<void>;
  /** Whether a member that wrote `applied` has applied the entry at `position`. No query. */
  covers(applied: string, position: string): boolean;
}
