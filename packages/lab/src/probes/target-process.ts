/**
 * The target's processes, when it runs on this machine: found by the port they listen on, measured
 * through `/proc`.
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { portOf } from '../targets/origin.ts';
import { ticksPerSecond } from './machine.ts';

/** CPU time and memory of the target's processes. */
export interface TargetUsage {
  /** CPU time since they started, seconds, children included. */
  readonly cpuSeconds: number;
  readonly rssMb: number;
}

const pageBytes = 4096;
const listenState = '0A';

/** Sockets that listen on the port: one, or one per worker where the workers share the port. */
const listeningSockets = (port: number): ReadonlySet<string> => {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6'])
    for (const line of readLines(table)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === listenState && local?.endsWith(`:${hexPort}`) === true) sockets.add(`socket:[${inode}]`);
    }
  return sockets;
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

const holdsOneOf = (pid: number, sockets: ReadonlySet<string>): boolean => {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((fd) => {
      try {
        return sockets.has(readlinkSync(`${folder}/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
};

/**
 * Finds the process that listens on a port of this machine, with workers: the one they all descend
 * from. `undefined` when there is none or it cannot be seen.
 */
export const findListener = (port: number): number | undefined => {
  const sockets = listeningSockets(port);
  if (sockets.size === 0) return undefined;
  // The lab may listen itself, as a proxy or for a scenario: it is never the target.
  const listeners = processIds().filter((pid) => pid !== process.pid && holdsOneOf(pid, sockets));
  const parents = new Map(listeners.map((pid) => [pid, readStat(pid)?.parent]));
  const roots = listeners.filter((pid) => !listeners.includes(parents.get(pid) ?? 0));
  const [first] = roots;
  const parent = first === undefined ? undefined : parents.get(first);
  const areSiblings = roots.length > 1 && parent !== undefined && parent > 1;
  return areSiblings && roots.every((pid) => parents.get(pid) === parent) ? parent : first;
};

interface Stat {
  readonly parent: number;
  readonly ticks: number;
  readonly pages: number;
  /** Tells a process from a later one with its number. */
  readonly startedAt: number;
}

/**
 * Fields of `/proc/PID/stat` (proc(5)); the name in parentheses may hold spaces, so they are
 * counted from its end.
 */
const readStat = (pid: number): Stat | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11, 15);
    return {
      parent: fields[1] ?? 0,
      ticks: user + system + childUser + childSystem,
      pages: fields[21] ?? 0,
      startedAt: fields[19] ?? 0,
    };
  } catch {
    return undefined;
  }
};

/** Readings between two searches for new descendants: a search reads the files of every process. */
const readingsPerSearch = 10;

/**
 * A process and all its descendants, coming and going. The lab's own processes do not belong to it,
 * even where the target has started the lab.
 *
 * What a descendant has used goes to its parent's account when that reaps it (proc(5): `cutime`,
 * `cstime`), so the sum over the living keeps what the dead have used. Two kinds would be lost, and
 * are not: an orphan stays a member though it has another parent now, and what falls out of the sum
 * when a process outside the tree reaps one is carried on.
 */
export class TargetProcesses {
  readonly root: number;
  /** When each member started, by its number. */
  #members: ReadonlyMap<number, number> = new Map();
  #readings = 0;
  #lastTicks = 0;
  #carriedTicks = 0;

  constructor(root: number) {
    this.root = root;
  }

  /**
   * Those behind an address.
   * @throws {Error} a sentence, when none of this machine listens there
   */
  static at(url: string): TargetProcesses {
    const pid = findListener(portOf(new URL(url).origin));
    if (pid === undefined)
      throw new Error(`no process of this machine listens at ${url}, so its CPU time cannot be measured`);
    return new TargetProcesses(pid);
  }

  /**
   * Reads their CPU time and memory, and looks for new processes from time to time, or now.
   * `undefined` when the root is gone.
   */
  read({ search = false } = {}): TargetUsage | undefined {
    if (search || this.#readings++ % readingsPerSearch === 0) this.#search();
    if (readStat(this.root) === undefined) return undefined;
    let ticks = 0;
    let pages = 0;
    for (const [pid, startedAt] of this.#members) {
      const stat = readStat(pid);
      if (stat?.startedAt !== startedAt) continue;
      ticks += stat.ticks;
      pages += stat.pages;
    }
    this.#carriedTicks += Math.max(0, this.#lastTicks - ticks);
    this.#lastTicks = ticks;
    return { cpuSeconds: (ticks + this.#carriedTicks) / ticksPerSecond, rssMb: (pages * pageBytes) / 2 ** 20 };
  }

  /**
   * CPU time since they started, seconds, new ones among them looked for.
   * @throws {Error} a sentence, when the root is gone
   */
  cpuSeconds(): number {
    const usage = this.read({ search: true });
    if (usage === undefined) throw new Error(`process ${this.root}, which was measured, is gone`);
    return usage.cpuSeconds;
  }

  #search(): void {
    const members = new Map<number, number>();
    for (const pid of [...this.#members.keys(), ...descendantsOf(this.root)]) {
      const startedAt = readStat(pid)?.startedAt;
      if (startedAt !== undefined && (this.#members.get(pid) ?? startedAt) === startedAt) members.set(pid, startedAt);
    }
    this.#members = members;
  }
}

/** Deepest nesting of processes that is followed. */
const depthMax = 32;

const descendantsOf = (root: number): readonly number[] => {
  const parents = new Map(processIds().map((pid) => [pid, readStat(pid)?.parent]));
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid, depth = 0; at !== undefined && at > 1 && depth < depthMax; depth++) {
      if (at === process.pid) return false;
      if (at === root) return true;
      at = parents.get(at);
    }
    return false;
  };
  return [...parents.keys()].filter(belongs);
};
