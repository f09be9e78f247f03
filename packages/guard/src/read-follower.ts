/**
 * Port: follows what a process reads, and passes it on to guards.
 * @module
 */
import type { MemberId } from '@catalytic/protocol/ids';
import type { Coverage, JournalPage } from './journal-source.ts';

/** A read whose entries have been applied. */
export interface AppliedRead {
  readonly page: JournalPage<unknown>;
  /** Monotonic clock when it was sent, milliseconds. */
  readonly sentMonoMs: number;
  /** Wall clock when it was sent, milliseconds since 1970. */
  readonly sentWallMs: number;
  /** Whether it began at the beginning of the journal. */
  readonly isWhole: boolean;
  /** Whether it has renewed the lease of this process. */
  readonly isGood: boolean;
}

/** Passes the reads of a process on to guards. */
export interface ReadFollower {
  /**
   * Called in the turn in which the entries were applied and the lease was renewed. It must return
   * at once and never throw.
   */
  onRead(read: AppliedRead): void;
  /** What guards have applied since the last call. */
  takeAcknowledgements(): ReadonlyMap<MemberId, Coverage>;
}
