/**
 * Rules of the revocation protocol, each of which can be broken alone, and what may happen where they hold.
 * @module
 */

/** What may happen besides. */
export interface World {
  /** Lengths of the leases that a process may have, ticks, the shortest first. */
  readonly leases: readonly number[];
  /**
   * It begins with a view that has read the database for a while. The database is away for longer than any lease, and is put back to an earlier
   * state.
   */
  readonly isPutBack?: boolean;
  /** The clock of the view may be set beyond what clocks may differ by, and the token may expire. */
  readonly isClockSet?: boolean;
}

/** The protocol's rules, each of which can be broken alone. */
export interface Rules {
  /** The revoker reads the members after its commit was acknowledged. */
  readonly membersReadAfterCommit: boolean;
  /** A view's first read counts only once its registration is in the database. */
  readonly registerBeforeRead: boolean;
  /** A lease counts from the moment the read was sent, not from its reply. */
  readonly leaseFromSend: boolean;
  /** A hint never renews a lease. */
  readonly hintRenewsNothing: boolean;
  /** Who was marked leaving is deleted only after a full wait. */
  readonly waitBeforeDelete: boolean;
  /** A wait is longer than a lease. */
  readonly waitIsLongEnough: boolean;
  /** A view applies the rows before it acknowledges them. */
  readonly applyBeforeAck: boolean;
  /** A read that did not find its member live renews no lease. */
  readonly onlyMembersRenew: boolean;
  /** A revoker that heard nothing answers 200 only after a full wait. */
  readonly answerAfterWait: boolean;
  /** The wait counts from the commit's reply, not from its sending. */
  readonly waitFromReply: boolean;
  /** Reads are served by the primary. */
  readonly readsPrimary: boolean;
  /** One read brings everything, not a page. */
  readonly readsWhole: boolean;
  /** A repeated revoke goes through a barrier of its own. */
  readonly repeatWaits: boolean;
  /** A marked process removes its former row only after a good read under its new id. */
  readonly formerRowStays: boolean;
  /** A wait is as long as the longest lease of those that could lack the entry asks for. */
  readonly waitsForLongest: boolean;
  /** Who was marked leaving is deleted after a wait for the lease that its row says. */
  readonly evictsByRow: boolean;
  /** A read counts only when the newest entry that was read stands where it stood. */
  readonly positionChecked: boolean;
  /** A history is named before any process writes back what it holds. */
  readonly namedBeforeWriteBack: boolean;
  /** A view that finds another name reads everything again. */
  readonly startsOver: boolean;
  /** What was read in one history is acknowledged in no other. */
  readonly acknowledgedInItsHistory: boolean;
  /** A read by a clock that is wrong renews no lease. */
  readonly wrongClockRenewsNothing: boolean;
  /** A clock that is set ends the lease. */
  readonly clockStepEndsLease: boolean;
  /** What was heard is let go only by a read that was sent later. */
  readonly heardUntilLaterRead: boolean;
  /** A clock that is ahead forgets nothing. */
  readonly stepForwardNotBelieved: boolean;
}

/** The protocol as specified. */
export const soundRules: Rules = {
  membersReadAfterCommit: true,
  registerBeforeRead: true,
  leaseFromSend: true,
  hintRenewsNothing: true,
  waitBeforeDelete: true,
  waitIsLongEnough: true,
  applyBeforeAck: true,
  onlyMembersRenew: true,
  answerAfterWait: true,
  waitFromReply: true,
  readsPrimary: true,
  readsWhole: true,
  repeatWaits: true,
  formerRowStays: true,
  waitsForLongest: true,
  evictsByRow: true,
  positionChecked: true,
  namedBeforeWriteBack: true,
  startsOver: true,
  acknowledgedInItsHistory: true,
  wrongClockRenewsNothing: true,
  clockStepEndsLease: true,
  heardUntilLaterRead: true,
  stepForwardNotBelieved: true,
};
