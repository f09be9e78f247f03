/**
 * Rules of a guard, each of which can be broken alone, and what may happen where they hold.
 * @module
 */

/** What may happen besides. */
export interface GuardWorld {
  readonly workers: 1 | 2;
  /** Ids that the guard may be given, one after the other. */
  readonly ids: 1 | 2;
  /** Lengths of the leases that a row may say, ticks, the shortest first. Workers have the longest. */
  readonly leases: readonly number[];
  /** The guard may crash, or stop in an orderly way. */
  readonly isGuardEnding?: boolean;
  /** A worker may start anew and has read nothing then. */
  readonly isWorkerRestarting?: boolean;
  /** It begins with a guard that has read everything. The database is away for longer than any lease, and is put back to an earlier state. */
  readonly isPutBack?: boolean;
  /** The clock of the guard may be set beyond what clocks may differ by, and the token may expire. */
  readonly isClockSet?: boolean;
}

/** The rules of a guard, each of which can be broken alone. */
export interface GuardRules {
  /** No id is inserted twice. */
  readonly idsAreNew: boolean;
  /** The row is durable before the guard learns its id. */
  readonly registrationIsDurable: boolean;
  /** A lease is granted only to an id that the worker's last good read showed live. */
  readonly leaseNeedsRow: boolean;
  /** That read is the one that brought the entries. */
  readonly rowComesWithEntries: boolean;
  /** A worker that has registered a guard has not thereby read its row. */
  readonly registrationIsNoRead: boolean;
  /** Only the key that registered an id may ask for it. */
  readonly keyOwnsId: boolean;
  /** A lease is as long as the guard's row says, whatever the lease of the worker is. */
  readonly leaseOfRow: boolean;
  /** The age of the worker's read is taken off the lease. */
  readonly ageIsTakenOff: boolean;
  /** The lease counts from the moment the poll was sent, not from its answer. */
  readonly leaseFromSend: boolean;
  /** An answer counts only for the request that it answers. */
  readonly answerOfItsRequest: boolean;
  /** A page holds every entry that its worker has read and that the cursor lacks. */
  readonly pageHoldsAll: boolean;
  /** A page that more pages follow grants no lease. */
  readonly partGrantsNothing: boolean;
  /** The cursor of a page covers what the page and those before hold, and no more. */
  readonly cursorOfPage: boolean;
  /** The entries of a page are applied before its cursor is kept. */
  readonly entriesBeforeCursor: boolean;
  /** Nothing is kept of a page with an entry of an unknown kind. */
  readonly unknownKeepsNothing: boolean;
  /** A page removes nothing from the view. */
  readonly pagesRemoveNothing: boolean;
  /** The guard starts over when it meets another history. */
  readonly startsOver: boolean;
  /** It has another id there. */
  readonly newIdInNewHistory: boolean;
  /** A cursor acknowledges nothing of another history. */
  readonly acknowledgedInItsHistory: boolean;
  /** What the guard asks with is its acknowledgement; what its worker knows is none. */
  readonly guardAcknowledges: boolean;
  /** A worker passes on no acknowledgement of an entry that it has only heard of. */
  readonly acknowledgedWhenRead: boolean;
  /** A guard accepts nothing any more before its row is removed. */
  readonly stopsBeforeLeaving: boolean;
  /** An answer that arrives after the stop grants nothing. */
  readonly nothingAfterStop: boolean;
  /** A former row is removed only after a page that renewed the lease under the new id. */
  readonly formerRowStays: boolean;
  /** A row that was marked leaving is deleted only after a wait. */
  readonly waitsBeforeDeleting: boolean;
  /** That wait is longer than a lease. */
  readonly deletesLateEnough: boolean;
  /** That wait is for the lease that the row says. */
  readonly deletesByRow: boolean;
  /** A sign-out waits for longer than a lease. */
  readonly waitIsLongEnough: boolean;
  /** It waits for the lease that the row says. */
  readonly waitsByRow: boolean;
  /** A page that comes while the guard's clock is wrong grants no lease. */
  readonly wrongClockGrantsNothing: boolean;
  /** A clock that is set ends the lease. */
  readonly clockStepEndsLease: boolean;
  /** A clock that is ahead forgets nothing. */
  readonly stepForwardNotBelieved: boolean;
  /** A copy of the process has no lease. */
  readonly forkHasNoLease: boolean;
  /** A start of the service, or a database that was put back, removes no guard's row. */
  readonly startKeepsRows: boolean;
}

/** The rules as specified. */
export const soundGuardRules: GuardRules = {
  idsAreNew: true,
  registrationIsDurable: true,
  leaseNeedsRow: true,
  rowComesWithEntries: true,
  registrationIsNoRead: true,
  keyOwnsId: true,
  leaseOfRow: true,
  ageIsTakenOff: true,
  leaseFromSend: true,
  answerOfItsRequest: true,
  pageHoldsAll: true,
  partGrantsNothing: true,
  cursorOfPage: true,
  entriesBeforeCursor: true,
  unknownKeepsNothing: true,
  pagesRemoveNothing: true,
  startsOver: true,
  newIdInNewHistory: true,
  acknowledgedInItsHistory: true,
  guardAcknowledges: true,
  acknowledgedWhenRead: true,
  stopsBeforeLeaving: true,
  nothingAfterStop: true,
  formerRowStays: true,
  waitsBeforeDeleting: true,
  deletesLateEnough: true,
  deletesByRow: true,
  waitIsLongEnough: true,
  waitsByRow: true,
  wrongClockGrantsNothing: true,
  clockStepEndsLease: true,
  stepForwardNotBelieved: true,
  forkHasNoLease: true,
  startKeepsRows: true,
};
