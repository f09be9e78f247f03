/**
 * Signals to other processes that are due when this one ends: a process that a fault has paused
 * must go on, a command must end. Known apart from the code that sends them, so that the watchdog
 * can send them when that code cannot run.
 * @module
 */
import { atExit } from './at-exit.ts';

/** A process, or with a negative number its group, and the signal that it is due. */
export type Bequest = readonly [pid: number, signal: NodeJS.Signals];

const will = new Map<number, NodeJS.Signals>();
let onChange: ((will: readonly Bequest[]) => void) | undefined;

const changed = (): void => onChange?.([...will]);

/** Sends the due signals. A process that has ended needs none. */
export const execute = (bequests: readonly Bequest[]): void => {
  for (const [pid, signal] of bequests)
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended.
    }
};

atExit(() => execute([...will]));

/** From now on the process is due this signal. */
export const bequeath = (pid: number, signal: NodeJS.Signals): void => {
  will.set(pid, signal);
  changed();
};

/** It is due nothing any more. */
export const revoke = (pid: number): void => {
  if (will.delete(pid)) changed();
};

/** Passes the list of due signals on, now and whenever it changes. */
export const followWill = (follow: (will: readonly Bequest[]) => void): void => {
  onChange = follow;
  changed();
};
