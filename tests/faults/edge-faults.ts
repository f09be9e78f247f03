/**
 * Faults at the edges of the promise: they break one of its assumptions, or come close to breaking one.
 * @module
 */
import { clockFaults } from './clock-faults.ts';
import type { Fault } from './fault.ts';
import { historyFaults } from './history-faults.ts';
import { leaseFaults } from './lease-faults.ts';
import { standbyFaults } from './standby-faults.ts';

/** These faults, by name. */
export const edgeFaults: Readonly<Record<string, Fault>> = {
  ...historyFaults,
  ...clockFaults,
  ...leaseFaults,
  ...standbyFaults,
};
