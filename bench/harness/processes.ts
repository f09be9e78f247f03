/**
 * The use of CPU time, memory and calls by processes, read from `/proc`.
 * @module
 */
import { readFileSync } from 'node:fs';
import { listProcesses, treeOf } from '@catalytic/lab/process-tree';
import { ticksPerSecond } from '../../packages/lab/src/probes/machine.ts';
import { TargetProcesses } from '../../packages/lab/src/probes/target-process.ts';

/** CPU seconds that a process and all its descendants have used; 0 when it is gone or `undefined`. */
export const cpuSecondsOfTree = (pid: number | undefined): number =>
  pid === undefined ? 0 : (new TargetProcesses(pid).read({ search: true })?.cpuSeconds ?? 0);

/** CPU seconds of a process. */
export interface CpuSeconds {
  /** All its threads. */
  readonly own: number;
  /** Its children that have ended and were waited for, and theirs. */
  readonly children: number;
}

/** Reads fields 14 to 17 out of the text of `/proc/PID/stat` (proc(5)). */
export const cpuSecondsIn = (stat: string): CpuSeconds => {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15).map(Number);
  return { own: (user + system) / ticksPerSecond, children: (childUser + childSystem) / ticksPerSecond };
};

/** Text of a file below `/proc/PID`; empty when the process is gone. */
const readOf = (pid: number, name: string): string => {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1');
  } catch {
    return '';
  }
};

/** CPU seconds of one process; 0 when it is gone. */
export const cpuSecondsOf = (pid: number): CpuSeconds => {
  const stat = readOf(pid, 'stat');
  return stat === '' ? { own: 0, children: 0 } : cpuSecondsIn(stat);
};

/** CPU seconds of this process and everything it has started, including what has ended. */
export const cpuSecondsOfOurs = (): number =>
  treeOf(process.pid).reduce((sum, { pid }) => {
    const { own, children } = cpuSecondsOf(pid);
    return sum + own + children;
  }, 0);

/** Resident memory of a process, MiB; 0 when it is gone. `smaps_rollup` is exact, the counters of `status` are not. */
export const residentMib = (pid: number): number =>
  Number(/^Rss:\s+(\d+) kB/m.exec(readOf(pid, 'smaps_rollup'))?.[1] ?? 0) / 1024;

/** Read and write calls of a process and all its descendants so far, on sockets and files. */
export const ioCallsOfTree = (pid: number): number =>
  treeOf(pid)
    .flatMap((member) => [...readOf(member.pid, 'io').matchAll(/^sysc[rw]: (\d+)$/gm)])
    .reduce((sum, [, count]) => sum + Number(count), 0);

/** The process that hashes passwords for a service; `undefined` when there is none. */
export const hashingProcessOf = (servicePid: number): number | undefined =>
  listProcesses().find(({ parent, command }) => parent === servicePid && command.includes('lane-process'))?.pid;
