/**
 * One measured run at a time on a machine: two would measure each other.
 * @module
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atExit } from '../containment/at-exit.ts';

const lockFile = join(tmpdir(), 'catalytic-lab.turn');

const readPid = (file: string): number | undefined => {
  try {
    const pid = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
};

const isAlive = (pid: number | undefined): boolean => {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** A link appears whole or not at all, so no reader sees a lock without a pid. */
const tryLink = (from: string): boolean => {
  try {
    linkSync(from, lockFile);
    return true;
  } catch {
    return false;
  }
};

/**
 * Takes a lock of the dead away; of several that try, one. Another may have taken the turn
 * meanwhile: then its lock goes back.
 */
const removeStale = (own: string): void => {
  const taken = `${own}.stale`;
  try {
    renameSync(lockFile, taken);
  } catch {
    return;
  }
  if (isAlive(readPid(taken))) tryLink(taken);
  rmSync(taken, { force: true });
};

/**
 * Takes the turn.
 * @returns the process that has it, or `undefined` when it is ours now; it ends with this process
 * at the latest
 */
export const takeMeasuringTurn = (): number | undefined => {
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    if (!tryLink(own)) {
      const holder = readPid(lockFile);
      if (holder !== undefined && isAlive(holder)) return holder;
      removeStale(own);
      if (!tryLink(own)) return readPid(lockFile) ?? 0;
    }
    atExit(() => {
      if (readPid(lockFile) === process.pid) rmSync(lockFile, { force: true });
    });
    return undefined;
  } finally {
    rmSync(own, { force: true });
  }
};
