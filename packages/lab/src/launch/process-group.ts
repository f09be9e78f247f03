/**
 * Starts processes in groups apart from this process's.
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { atExit } from '../containment/at-exit.ts';
import { bequeath, execute, revoke } from '../containment/last-will.ts';

const spawnDetached = (file: string, args: readonly string[], options: SpawnOptions): ChildProcess =>
  spawn(file, args, { ...options, detached: true });

/**
 * Starts a process in a new group, so that Ctrl-C reaches this process alone, which then ends what
 * it has started in order. If this process ends before it has, so does the group, at once.
 */
export const spawnGroup = (file: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
  const child = spawnDetached(file, args, options);
  const { pid } = child;
  if (pid === undefined) return child;
  bequeath(-pid, 'SIGKILL');
  // Not at its exit: a shell that has ended may have left the service that it started.
  child.once('close', () => revoke(-pid));
  return child;
};

/**
 * Starts a run of the lab in a new group. If this process ends first, the run ends at once too, but
 * in its way: it has faults to undo. It takes two signals for that, and two of one kind might
 * arrive as one.
 */
export const spawnRun = (file: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
  const child = spawnDetached(file, args, options);
  const { pid } = child;
  if (pid === undefined) return child;
  child.once(
    'exit',
    atExit(() =>
      execute([
        [pid, 'SIGINT'],
        [pid, 'SIGTERM'],
      ]),
    ),
  );
  return child;
};
