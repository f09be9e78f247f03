/**
 * A process that faults happen to, alone or with all it has started.
 * @module
 */
import { readFileSync } from 'node:fs';
import { bequeath, revoke } from '../containment/last-will.ts';
import { killTree, signal, stopTree, treeOf } from '../containment/process-tree.ts';

/** How a process is named. */
export interface ProcessName {
  /**
   * Its id, or the file that holds it: read at every fault, because a process that was started
   * again has another one.
   */
  readonly pid: number | string;
  /** Only itself, not what it has started. */
  readonly isSingle: boolean;
}

const readPid = (pid: number | string): number => {
  const found = typeof pid === 'number' ? pid : Number.parseInt(readFileSync(pid, 'utf8'), 10);
  // Zero and below mean groups of processes to kill(2), one is the whole machine.
  if (!(found > 1)) throw new Error(`${pid} holds no process id`);
  if (found === process.pid) throw new Error('that is the lab itself');
  return found;
};

/** A process under fault. Every method throws an Error when the process is not there. */
export class ProcessUnderFault {
  readonly #name: ProcessName;
  readonly #paused = new Set<number>();

  constructor(name: ProcessName) {
    this.#name = name;
  }

  /** Its id at this moment. */
  find(): number {
    const pid = readPid(this.#name.pid);
    if (treeOf(pid).length === 0) throw new Error(`process ${pid} does not run`);
    return pid;
  }

  kill(): void {
    const pid = this.find();
    if (this.#name.isSingle) signal(pid, 'SIGKILL');
    else killTree(pid);
  }

  pause(): void {
    const pid = this.find();
    // Before it is stopped: this process may be ended between the two.
    bequeath(pid, 'SIGCONT');
    if (this.#name.isSingle) signal(pid, 'SIGSTOP');
    for (const member of this.#name.isSingle ? [pid] : stopTree(pid)) {
      this.#paused.add(member);
      bequeath(member, 'SIGCONT');
    }
  }

  resume(): void {
    this.undo();
    const pid = this.find();
    for (const member of this.#name.isSingle ? [{ pid }] : treeOf(pid)) signal(member.pid, 'SIGCONT');
  }

  /** Resumes all processes that were paused here, also when the first of them has ended. */
  undo(): void {
    for (const pid of this.#paused) {
      signal(pid, 'SIGCONT');
      revoke(pid);
    }
    this.#paused.clear();
  }
}
