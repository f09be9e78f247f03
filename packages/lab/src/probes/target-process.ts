/**
 * The target's processes, when it runs on this machine: found by the port they listen on, measured through `/proc`.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { ticksPerSecond } from './machine.ts';

/** What the target's processes have used. */
export interface TargetUsage {
  /** CPU time since they started, seconds, children included. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

const pageBytes = 4096;
const listenState = '0A';

const listeningInode = (port: number): string | undefined => {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of readLines(table)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === listenState && local?.endsWith(`:${hexPort}`) === true) return inode;
    }
  return undefined;
};

const readLines = (file: string): readonly string[] => {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return [];
  }
};

const processIds = (): readonly number[] => {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
};

const holdsInode = (pid: number, inode: string): boolean => {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => {
      try {
        return readlinkSync(`${folder}/${fd}`) === `socket:[${inode}]`;
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
};

/** Finds the process that listens on a port of this machine; `undefined` when there is none or it cannot be seen. */
export const findListener = (port: number): number | undefined => {
  const inode = listeningInode(port);
  return inode === undefined ? undefined : processIds().find((pid) => holdsInode(pid, inode));
};

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  readonly pages: number;
}

/** Fields of `/proc/PID/stat` (proc(5)); the name in parentheses may hold spaces, so they are counted from its end. */
const readStat = (pid: number): Stat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    return { parent: fields[1] ?? 0, ticks: user + system + childUser + childSystem, pages: fields[21] ?? 0 };
  } catch {
    return undefined;
  }
};

/** Reads what a process and all its descendants have used. */
export const readUsage = (root: number): TargetUsage | undefined => {
  if (readStat(root) === undefined) return undefined;
  const stats = new Map(
    processIds().flatMap((pid) => {
      const stat = readStat(pid);
      return stat === undefined ? [] : [[pid, stat] as const];
    }),
  );
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid, depth = 0; at !== undefined && at > 1 && depth < 32; depth++) {
      if (at === root) return true;
      at = stats.get(at)?.parent;
    }
    return false;
  };
  let ticks = 0;
  let pages = 0;
  for (const [pid, stat] of stats)
    if (belongs(pid)) {
      ticks += stat.ticks;
      pages += stat.pages;
    }
  return { cpuSeconds: ticks / ticksPerSecond, rssMb: (pages * pageBytes) / 2 ** 20 };
};
