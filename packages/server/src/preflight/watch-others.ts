/**
 * How much of the CPU other programs use while this process measures: it misses that time.
 * @module
 */
import { readFileSync } from 'node:fs';

/** CPU time so far, clock ticks. */
interface CpuTicks {
  /** Of the whole machine. `steal` counts as used: a neighbour on the host has it. */
  readonly used: number;
  readonly all: number;
  /** Of this process, and of its children that have ended. */
  readonly own: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const readTicks = (): CpuTicks => {
  const [first = ''] = readFileSync('/proc/stat', 'utf8').split('\n', 1);
  // user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of the first two (proc_stat(5)).
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, ...rest] = first.split(/\s+/).slice(1, 9).map(Number);
  const used = user + nice + system + sum(rest);
  // The name of the program may hold anything; utime, stime, cutime and cstime are fields 14 to 17 (proc_pid_stat(5)).
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return { used, all: used + idle + wait, own: sum(fields.slice(11, 15).map(Number)) };
};

/**
 * Watches from now on.
 * @returns ends it, after the children that measure have ended: the share of the machine's CPU that
 *   others have used, per cent, `undefined` where the system does not tell
 */
export const watchOthers = (): (() => number | undefined) => {
  try {
    const before = readTicks();
    return () => {
      const after = readTicks();
      const all = after.all - before.all;
      const others = after.used - before.used - (after.own - before.own);
      return all === 0 ? undefined : (100 * Math.max(0, others)) / all;
    };
  } catch {
    return () => undefined;
  }
};
