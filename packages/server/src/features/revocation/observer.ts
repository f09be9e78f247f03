/**
 * Port: observes how revocations spread. It decides nothing.
 * @module
 */

/**
 * How a member confirmed a revocation: over the bus, in its row of the journal's members, or by the
 * removal of its row.
 */
export type Confirmation = 'acknowledgement' | 'journal' | 'gone';

/** Called in the turn of the event, so each method must return at once and never throw. */
export interface RevocationObserver {
  /** A revocation was answered. @param ms from the reply of its commit, milliseconds */
  onSettled(ms: number, propagation: 'complete' | 'pending'): void;
  /**
   * One more member holds a revocation that has not been answered yet. Called once for each member
   * and revocation.
   * @param ms from the reply of its commit, milliseconds
   */
  onConfirmed(ms: number, by: Confirmation): void;
  /** Members were marked as leaving. @param members how many */
  onMarked(members: number): void;
}
