/**
 * CPU time of processes, read from `/proc`, and the share of the machine that strangers had while something was measured.
 * @module
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { treeOf } from '../packages/lab/src/faults/process-tree.ts';
import { readCpuTimes, ticksPerSecond } from '../packages/lab/src/probes/machine.ts';
import { TargetProcesses } from '../packages/lab/src/probes/target-process.ts';
import { round } from './figures.ts';

/** CPU seconds that a process and all it has started have used; 0 when it is gone. */
export const cpuSecondsOfTree = (pid: number | undefined): number =>
  pid === undefined ? 0 : (new TargetProcesses(pid).read({ search: true })?.cpuSeconds ?? 0);

/** Fields 14 to 17 of `/proc/PID/stat` (proc(5)): user, system, and both of the children that were waited for; seconds. */
const readTimes = (pid: number): readonly [own: number, children: number] => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
    return [(user + system) / ticksPerSecond, (childUser + childSystem) / ticksPerSecond];
  } catch {
    return [0, 0];
  }
};

/** CPU seconds of one process alone, all its threads included; 0 when it is gone. */
export const cpuSecondsOf = (pid: number): number => readTimes(pid)[0];

/** CPU seconds of this process and everything it has started, what has ended included. */
const cpuSecondsOfAllOurs = (): number =>
  treeOf(process.pid).reduce((sum, { pid }) => {
    const [own, children] = readTimes(pid);
    return sum + own + children;
  }, 0);

/** Largest share of the machine's CPU time that strangers may have had, per cent. */
const strangersPercentMax = 10;

/** Whether figures may be believed. */
export interface Conditions {
  readonly isValid: boolean;
  /** CPU time of processes that were not started by the measurement, the hypervisor's stolen time included. */
  readonly strangers_percent: number;
  /** CPU time of all processes. */
  readonly busy_percent: number;
}

/**
 * Watches the machine from now on.
 * @returns what it was like since then; called again, still since then
 * @throws Error where there is no `/proc`
 */
export const watchStrangers = (): (() => Conditions) => {
  const read = () => {
    const times = readCpuTimes();
    if (times === undefined) throw new Error('Cannot measure here: CPU times are read from /proc, which Linux has');
    return { busy: times.busy + times.steal, ours: cpuSecondsOfAllOurs(), atMs: performance.now() };
  };
  const before = read();
  return () => {
    const after = read();
    const coreSeconds = ((after.atMs - before.atMs) / 1000) * availableParallelism();
    const busy = after.busy - before.busy;
    const strangers = (100 * Math.max(0, busy - (after.ours - before.ours))) / coreSeconds;
    return {
      isValid: strangers <= strangersPercentMax,
      strangers_percent: round(strangers),
      busy_percent: round((100 * busy) / coreSeconds),
    };
  };
};

/** All conditions together: valid when each is. */
export const worstOf = (all: readonly Conditions[]): Conditions => ({
  isValid: all.every(({ isValid }) => isValid),
  strangers_percent: Math.max(0, ...all.map((one) => one.strangers_percent)),
  busy_percent: Math.max(0, ...all.map((one) => one.busy_percent)),
});
