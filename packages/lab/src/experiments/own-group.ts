/**
 * Processes in a group of their own.
 * @module
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * Starts a process in a group of its own, so that Ctrl-C reaches this process alone, which then ends what it has started in order. If this
 * process ends before it has, so does the group, at once.
 */
export const spawnGroup = (file: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
  const child = spawn(file, args, { ...options, detached: true });
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended just now.
    }
  };
  process.on('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
};
