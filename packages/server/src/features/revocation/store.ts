/**
 * Port: the journal.
 * @module
 */
import type { JournalEntry } from '@catalytic/protocol/journal';

/**
 * The durable list of revocations. Rows are written by the operation that causes them, in its transaction (sessions, accounts, keys);
 * this port reads and forgets them. Every engine passes `store.contract.ts`.
 */
export interface JournalStore {
  /** All live entries, in one statement. */
  readLive(nowMs: number): Promise<readonly JournalEntry[]>;
  /**
   * Raises the longest access token lifetime this deployment has ever used, seconds; never lowers it. Must be durable before a process
   * mints with that lifetime, because it decides how long entries are kept.
   */
  raiseTokenSecondsMax(seconds: number): Promise<void>;
  /** Deletes up to `rowsMax` entries that were to be kept until before `beforeMs`. Returns how many. */
  purge(beforeMs: number, rowsMax: number): Promise<number>;
}
