/**
 * The machine: its size, and the load of its CPUs.
 * @module
 */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';

/** Size of the machine, printed beside every figure. */
export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly platform: string;
  readonly node: string;
}

/** Looks at the machine. */
export const describeMachine = (): Machine => ({
  cores: availableParallelism(),
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  memoryGib: Math.round(totalmem() / 2 ** 30),
  platform: `${process.platform} ${process.arch}`,
  node: process.version,
});

/** CPU time since boot over all cores, seconds. */
export interface CpuTimes {
  /**
   * Spent by processes. Interrupts are left out: the kernel charges them to no process, and on a
   * machine under load most of them carry the packets between lab and target.
   */
  readonly busy: number;
  readonly steal: number;
}

/** Clock ticks per second of `/proc`: 100 on every Linux that Node runs on (`getconf CLK_TCK`). */
export const ticksPerSecond = 100;

/** Reads `/proc/stat`; `undefined` where there is none. */
export const readCpuTimes = (): CpuTimes | undefined => {
  try {
    const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? '';
    const [user = 0, nice = 0, system = 0, , , , , steal = 0] = line
      .trim()
      .split(/\s+/)
      .slice(1)
      .map((ticks) => Number(ticks) / ticksPerSecond);
    return { busy: user + nice + system, steal };
  } catch {
    return undefined;
  }
};
