/**
 * Signals to a process and everything it has started.
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process of this machine. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its command line, or its present title. */
  readonly command: string;
}

const readProcess = (pid: number): RunningProcess | undefined => {
  try {
    // "pid (name) state parent …"; the name may hold anything.
    const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    // A process that has ended and has not been reaped does not run.
    if (state === 'Z' || state === 'X') return undefined;
    return {
      pid,
      parent: Number(parent),
      command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim(),
    };
  } catch {
    return undefined;
  }
};

/** All processes that can be seen. */
export const listProcesses = (): readonly RunningProcess[] =>
  existsSync('/proc/self/stat')
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => readProcess(Number(name)) ?? [])
    : [
        ...execFileSync('ps', ['-axo', 'pid=,ppid=,command='], { encoding: 'utf8' }).matchAll(
          /^\s*(\d+)\s+(\d+)\s+(.*)$/gm,
        ),
      ].map(([, pid, parent, command = '']) => ({ pid: Number(pid), parent: Number(parent), command }));

/**
 * A process, its children, their children and so on, the root first; empty when the root is gone.
 */
export const treeOf = (root: number): readonly RunningProcess[] => {
  const all = listProcesses();
  const tree = all.filter(({ pid }) => pid === root);
  const members = new Set([root]);
  // The list grows while it is walked: the children of a member are added when the walk comes to
  // it.
  for (const { pid } of tree)
    for (const child of all)
      if (child.parent === pid && !members.has(child.pid)) {
        members.add(child.pid);
        tree.push(child);
      }
  return tree;
};

/** Sends a signal. Returns whether the process was there. */
export const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    return process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
};

/**
 * Rounds of looking for children that were started while their parent was being stopped: two are
 * enough unless a tree grows wildly.
 */
const roundsMax = 10;

/**
 * Stops a whole tree (SIGSTOP), parents first, until a look finds no member that is not stopped.
 * Returns those it stopped.
 */
export const stopTree = (root: number): readonly number[] => {
  const stopped = new Set<number>();
  for (let round = 0; round < roundsMax; round++) {
    const running = treeOf(root).filter(({ pid }) => !stopped.has(pid));
    if (running.length === 0) break;
    for (const { pid } of running) if (signal(pid, 'SIGSTOP')) stopped.add(pid);
  }
  return [...stopped];
};

/**
 * Kills a whole tree (SIGKILL). It is stopped before, so that nothing escapes by starting a child.
 * Returns how many there were.
 */
export const killTree = (root: number): number => {
  const members = stopTree(root);
  return members.filter((pid) => signal(pid, 'SIGKILL')).length;
};
