/**
 * Rules: leases of guards, and how often they are answered. Pure.
 * @module
 */
import { guardLeaseMsMax, guardLeaseMsMin } from '@catalytic/protocol/guards';

/** Most guards that may be registered in a deployment: each sign-out waits for all of them. */
export const guardsMax = 300;

/** Most polls that one process holds. Each costs it a few kilobytes. */
export const pollsMax = 5000;
/** Most polls that one process holds for one guard key. */
export const pollsOfKeyMax = 2000;

/**
 * The lease of guards, milliseconds: that of the workers, within bounds.
 * @param leaseMs lease of the worker that registers the guard, or that a follower asks
 */
export const followerLeaseMs = (leaseMs: number): number =>
  Math.min(guardLeaseMsMax, Math.max(guardLeaseMsMin, leaseMs));

/**
 * Part of the time that a poll was held which is added to its lease. The guard counts its lease from
 * sending the poll, and its clock may run slower than that of the worker: with the whole time it
 * would outlive the wait of a revoker whose clock runs fast.
 */
const heldPart = 5 / 6;

/**
 * The lease that an answer grants, milliseconds since the poll was sent; 0: none.
 * @param leaseMs lease of the guard
 * @param ageMs time since the worker's last good read was sent
 * @param heldMs time since the poll arrived
 */
export const leaseMsOf = ({
  leaseMs,
  ageMs,
  heldMs,
}: {
  readonly leaseMs: number;
  readonly ageMs: number;
  readonly heldMs: number;
}): number => Math.max(0, Math.floor(leaseMs - ageMs + heldPart * heldMs));

/**
 * Shortest time between two answers to one guard, milliseconds. All guards of a process together get
 * at most 5,000 answers a second.
 * @param held polls that the process holds
 */
export const answerEveryMs = (held: number): number => Math.max(5, 0.2 * held);
