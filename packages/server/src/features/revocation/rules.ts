/**
 * Times of the protocol.
 * @module
 */

/**
 * How long to wait, on one's own clock, until every lease that was running has ended on everybody's: 1.2 leases, because two monotonic
 * clocks may each be off by 8.3 % (the rate to which chrony may slew one).
 */
export const fullWaitMs = (leaseMs: number): number => 1.2 * leaseMs;

/** The longest lease that a member may have, milliseconds: what is waited for where a row does not say how long its own is. */
export const leaseMsMax = 60_000;

/** The longest of some members' leases, milliseconds; 0 of none. */
export const longestLeaseMs = (members: Iterable<{ readonly leaseMs: number | null }>): number => {
  let longest = 0;
  for (const { leaseMs } of members) longest = Math.max(longest, leaseMs ?? leaseMsMax);
  return longest;
};

/** A member that has not acknowledged for this long is marked as leaving, milliseconds. */
export const silenceMs = 500;

/** Hints that all members together deliver in a millisecond, at most; as many acknowledgements come back. One Redis carries it on half a core. */
const deliveriesPerMs = 25;
/** Longer than this there is nothing to gain: the journal brings an entry as soon. */
const announceEveryMsMax = 100;

/**
 * How long a process collects entries after a hint before it sends the next one, milliseconds. Where every member revokes all the time,
 * each hint goes to all the others, so the deliveries grow with the square of the members and the time between two hints must, too.
 * @param members members of the deployment
 */
export const announceEveryMs = (members: number): number =>
  Math.min(announceEveryMsMax, (members * (members - 1)) / deliveriesPerMs);
