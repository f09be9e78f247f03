/**
 * One measured run at a time on a machine: two would measure each other.
 * @module
 */
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const lockFile = join(tmpdir(), 'catalytic-lab.turn');

const holder = (): number | undefined => {
  try {
    return Number(readFileSync(lockFile, 'utf8'));
  } catch {
    return undefined;
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/**
 * Takes the turn.
 * @returns the process that has it, or `undefined` when it is ours now; it ends with this process at the latest
 */
export const takeMeasuringTurn = (): number | undefined => {
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        // A link appears whole or not at all, so nobody reads a lock without a pid.
        linkSync(own, lockFile);
        process.once('exit', () => rmSync(lockFile, { force: true }));
        return undefined;
      } catch {
        const pid = holder();
        if (pid !== undefined && isAlive(pid)) return pid;
        rmSync(lockFile, { force: true });
      }
    }
    return holder() ?? 0;
  } finally {
    rmSync(own, { force: true });
  }
};
