/**
 * Times of the revocation protocol.
 * @module
 */

/**
 * How long a process waits, on its own clock, until every lease that was running has ended on every
 * other clock: 1.2 leases, because two monotonic clocks may each be off by 8.3 % (the fastest rate
 * at which chrony slews a clock).
 */
export const fullWaitMs = (leaseMs: number): number => 1.2 * leaseMs;

/**
 * The longest lease that a member may have, milliseconds. It counts for a row that does not name
 * its lease.
 */
export const leaseMsMax = 60_000;

/** The longest lease among some members, milliseconds; 0 without members. */
export const longestLeaseMs = (members: Iterable<{ readonly leaseMs: number | null }>): number => {
  let longest = 0;
  for (const { leaseMs } of members) longest = Math.max(longest, leaseMs ?? leaseMsMax);
  return longest;
};

/**
 * A member that has not acknowledged for this long is marked as leaving, milliseconds. A guard is
 * somewhere on a network, and its next request may have to wait for a new connection.
 */
export const silenceMs = { worker: 500, guard: 2000 } as const;

/**
 * Most hints that all members together deliver in a millisecond; the same number of
 * acknowledgements comes back. One Redis carries that on half a core.
 */
const deliveriesPerMs = 25;
/** Longest collecting time, milliseconds. After that the journal brings an entry just as soon. */
const announceEveryMsMax = 100;

/**
 * How long a process collects entries after a hint before it sends the next one, milliseconds. Each
 * hint goes to all other members. If every member revokes all the time, deliveries grow with the
 * square of the members, so the time between two hints grows in the same way.
 * @param members members of the deployment
 */
export const announceEveryMs = (members: number): number =>
  Math.min(announceEveryMsMax, (members * (members - 1)) / deliveriesPerMs);
