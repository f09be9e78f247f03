/**
 * Ports: the journal, and the members that must have applied it.
 * @module
 */
import type { JournalSource } from '@catalytic/guard/journal-source';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import type { Purge } from '../purging/store.ts';

export type { JournalPage, JournalSource } from '@catalytic/guard/journal-source';

/** The journal entries of one committed transaction. */
export interface Recorded {
  readonly entries: readonly JournalEntry[];
  /**
   * Where the entries stand in the journal; only {@link MemberStore.covers} knows its structure.
   */
  readonly position: string;
}

/**
 * The durable list of revocations. The operations that revoke write the rows, in their own
 * transactions (sessions, accounts, keys). This port reads and purges them. Every engine passes
 * `store.contract.ts`.
 */
export interface JournalStore {
  /** Opens a separate connection for the reader of this process. */
  openSource(): JournalSource;
  /**
   * Raises the longest access token lifetime this deployment has ever used, seconds; never lowers
   * it. It must be durable before a process issues a token with that lifetime, because it decides
   * how long entries are kept.
   * @returns the longest lifetime
   */
  raiseTokenSecondsMax(seconds: number): Promise<number>;
  /**
   * Deletes entries whose time has been over for that long. The newest of them stay: a reader
   * recognises the history that it has read by the newest entry.
   * @returns how many were deleted
   */
  purge(purge: Purge): Promise<number>;
}

/** The row of a process that is registered to accept tokens: a worker, or a guard. */
export interface Member {
  readonly id: MemberId;
  /**
   * `leaving`: it was silent for too long. Its reads no longer renew its lease, and the row is
   * removed after a full wait.
   */
  readonly state: 'live' | 'leaving';
  /**
   * Length of its lease, milliseconds; `null`: an older version, which does not name it, has
   * registered the member.
   */
  readonly leaseMs: number | null;
  /** Its last acknowledgement; `null` before the first. */
  readonly applied: string | null;
  /**
   * `worker`: a process of the service. `guard`: a process of an API, for which a worker reads and
   * acknowledges. A row of an older version, which names no kind, is a worker's.
   */
  readonly kind: 'worker' | 'guard';
  /**
   * Raised again and again while the process lives (`GuardStore.seen`). One that stands still shows
   * that the process is gone; the number itself means nothing.
   */
  readonly seen: number;
}

/** The rows of all members. Every engine passes `store.contract.ts`. */
export interface MemberStore {
  /** All rows, read from the primary. */
  list(): Promise<readonly Member[]>;
  /**
   * Marks members as leaving. Resolves after the commit. Ids without a row are ignored. Where guards
   * were live, one mark is counted on each of their keys (`guard-keys/rules.ts`).
   */
  markLeaving(ids: readonly MemberId[]): Promise<void>;
  /** Removes rows. */
  remove(ids: readonly MemberId[]): Promise<void>;
  /**
   * True if a member that acknowledged `applied` has also applied the entry at `position`. No
   * query.
   */
  covers(applied: string, position: string): boolean;
}
