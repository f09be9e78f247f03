/**
 * Times of the protocol.
 * @module
 */

/**
 * How long to wait, on one's own clock, until every lease that was running has ended on everybody's: 1.2 leases, because two monotonic
 * clocks may each be off by 8.3 % (the rate to which chrony may slew one).
 */
export const fullWaitMs = (leaseMs: number): number => 1.2 * leaseMs;

/** A member that has not acknowledged for this long is marked as leaving, milliseconds. */
export const silenceMs = 500;
