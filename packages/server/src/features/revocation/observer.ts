/**
 * Port: who wants to know how revocations go. It is told and decides nothing.
 * @module
 */

/** By what a member is known to hold a revocation: it said so over the bus, its row says so, or its row is gone. */
export type Confirmation = 'acknowledgement' | 'journal' | 'gone';

/** Told in the turn in which it happens, so each must return at once and never throw. */
export interface RevocationObserver {
  /** A revoke is answered. @param ms from the reply of its commit, milliseconds */
  onSettled(ms: number, propagation: 'complete' | 'pending'): void;
  /**
   * One more member holds a revocation that is still to be answered; once for each member and revocation.
   * @param ms from the reply of its commit, milliseconds
   */
  onConfirmed(ms: number, by: Confirmation): void;
  /** Members were marked as leaving. @param members how many */
  onMarked(members: number): void;
}
