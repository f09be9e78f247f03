/**
 * The conditions on the machine during a measurement.
 * @module
 */
import { availableParallelism } from 'node:os';
import { readCpuTimes } from '../../packages/lab/src/probes/machine.ts';
import { round } from './figures.ts';
import { RefusedError } from './options.ts';
import { cpuSecondsOfOurs } from './processes.ts';

/** Largest share of the machine's CPU time that processes of others may have, per cent. */
const strangersPercentMax = 10;

/** Whether figures may be believed. */
export interface Conditions {
  readonly isValid: boolean;
  /** CPU time of processes that the bench did not start, including what the hypervisor took (steal). */
  readonly strangersPercent: number;
  /** CPU time of all processes. */
  readonly busyPercent: number;
}

/**
 * Watches the machine from now on.
 * @returns a function that gives the conditions since then, each time that it is called
 * @throws {RefusedError} where there is no `/proc`
 */
export const watchStrangers = (): (() => Conditions) => {
  const read = () => {
    const times = readCpuTimes();
    if (times === undefined)
      throw new RefusedError('Cannot measure here: CPU times are read from /proc, which Linux has');
    return { busy: times.busy + times.steal, ours: cpuSecondsOfOurs(), atMs: performance.now() };
  };
  const before = read();
  return () => {
    const after = read();
    const coreSeconds = ((after.atMs - before.atMs) / 1000) * availableParallelism();
    const busy = after.busy - before.busy;
    const strangers = (100 * Math.max(0, busy - (after.ours - before.ours))) / coreSeconds;
    return {
      isValid: strangers <= strangersPercentMax,
      strangersPercent: round(strangers),
      busyPercent: round((100 * busy) / coreSeconds),
    };
  };
};

/** All conditions together: valid when each is. */
export const worstOf = (all: readonly Conditions[]): Conditions => ({
  isValid: all.every(({ isValid }) => isValid),
  strangersPercent: Math.max(0, ...all.map((one) => one.strangersPercent)),
  busyPercent: Math.max(0, ...all.map((one) => one.busyPercent)),
});
