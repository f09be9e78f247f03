/**
 * One measured run at a time on a machine: two would measure each other.
 * @module
 */
import { linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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

/** Parts of a script's path that name it: `lab/src/main.ts`. */
const nameParts = 3;

/**
 * The program of a process and the first word of its command line; `undefined` where the system
 * does not tell. The other words stay unread, because they may hold secrets.
 */
const commandOf = (pid: number): string | undefined => {
  try {
    const [program = '', ...words] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const at = words.findIndex((word) => !word.startsWith('-'));
    const script = words[at] ?? '';
    // Code on the command line is no path.
    if (!/^[\w@./-]+\.m?[jt]s$/.test(script)) return basename(program);
    const first = words[at + 1] ?? '';
    const name = script.split('/').slice(-nameParts).join('/');
    return /^[a-z][a-z0-9-]*$/.test(first) ? `${name} ${first}` : name;
  } catch {
    return undefined;
  }
};

/** When the lock was taken, by the clock of the reader; `undefined`: it has just been released. */
const takenAt = (): string | undefined =>
  statSync(lockFile, { throwIfNoEntry: false })?.mtime.toTimeString().slice(0, 'HH:MM:SS'.length);

/** Why this process cannot measure, and what to do. */
const refusal = (holder: number | undefined): string => {
  if (holder === undefined) return 'another process has just begun to measure on this machine; try again';
  const command = commandOf(holder);
  const since = takenAt();
  return (
    `process ${holder}${command === undefined ? '' : `, ${command},`} has been measuring on this machine` +
    `${since === undefined ? '' : ` since ${since}`}; wait for it, or end it with "kill ${holder}": two runs would measure each other`
  );
};

/**
 * Takes the turn; it ends with this process at the latest.
 * @returns why another process has it, and what to do; `undefined` when it is ours now
 */
export const takeMeasuringTurn = (): string | undefined => {
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    if (!tryLink(own)) {
      const holder = readPid(lockFile);
      if (holder !== undefined && isAlive(holder)) return refusal(holder);
      removeStale(own);
      if (!tryLink(own)) return refusal(readPid(lockFile));
    }
    atExit(() => {
      if (readPid(lockFile) === process.pid) rmSync(lockFile, { force: true });
    });
    return undefined;
  } finally {
    rmSync(own, { force: true });
  }
};
