/**
 * Carries out the faults of a run at their times, and undoes at its end those that still last.
 * @module
 */
import { atExit } from '../containment/at-exit.ts';
import { CommandUnderFault } from './command-under-fault.ts';
import type { FaultPlan, PlannedFault } from './plan.ts';
import { ProcessUnderFault } from './process-under-fault.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

/** A fault, planned and done. */
export interface FaultEvent {
  readonly name: string;
  readonly fault: string;
  readonly plannedSeconds: number;
  /** When it began; `undefined`: the run ended before. */
  actualSeconds: number | undefined;
  /** When it was done: a command takes its time. `undefined` until then. */
  doneSeconds: number | undefined;
  /** Why it could not be done. */
  error: string | undefined;
}

/** Called as faults happen. A fault is named by its place in the plan. */
export interface FaultWatcher {
  say(line: string): void;
  /** A fault is about to begin. @param atMs on the monotonic clock */
  began?(index: number, atMs: number): void;
  /** A fault is done. @param isDone whether it could be done */
  ended?(index: number, atMs: number, isDone: boolean): void;
}

/** The faults of a run, ready or under way. */
export interface FaultTimeline {
  readonly events: readonly FaultEvent[];
  /** Lets time run. */
  start(watcher: FaultWatcher): void;
  /**
   * No more faults; paused processes go on, commands end, proxies are healed and stay until {@link
   * close}.
   */
  undo(): void;
  /** Undoes, and closes the proxies. */
  close(): Promise<void>;
}

/**
 * Opens the proxies, so that the target can connect through them, and waits for the start.
 * @throws Error when a proxy's port is taken
 */
export const openTimeline = async (plan: FaultPlan): Promise<FaultTimeline> => {
  const proxies = new Map<string, FaultProxy>();
  const processes = new Map([...plan.processes].map(([name, subject]) => [name, new ProcessUnderFault(subject)]));
  const commands = new Map([...plan.commands].map(([name, text]) => [name, new CommandUnderFault(text)]));
  const events: FaultEvent[] = plan.faults.map(({ name, fault, atSeconds }) => ({
    name,
    fault,
    plannedSeconds: atSeconds,
    actualSeconds: undefined,
    doneSeconds: undefined,
    error: undefined,
  }));
  const timers: NodeJS.Timeout[] = [];
  const undo = (): void => {
    for (const timer of timers) clearTimeout(timer);
    for (const subject of [...processes.values(), ...commands.values()]) subject.undo();
    for (const proxy of proxies.values()) proxy.heal();
  };
  // Also when the lab itself breaks: a process must not stay paused for ever.
  const callOff = atExit(undo);
  const close = async (): Promise<void> => {
    undo();
    callOff();
    await Promise.all([...proxies.values()].map((proxy) => proxy.close()));
  };
  try {
    for (const [name, options] of plan.proxies) proxies.set(name, await startProxy(options));
  } catch (error) {
    await close();
    throw new Error(`Cannot open a proxy: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  return {
    events,
    start: (watcher) => {
      const startMs = performance.now();
      const carryOut = async (index: number, { apply }: PlannedFault, event: FaultEvent): Promise<void> => {
        const beganMs = performance.now();
        const tell = (atMs: number, rest: string): void =>
          watcher.say(
            `${((atMs - startMs) / 1000).toFixed(1).padStart(6)} s  fault ${event.name}:${event.fault}${rest}`,
          );
        event.actualSeconds = (beganMs - startMs) / 1000;
        watcher.began?.(index, beganMs);
        let takesTime = false;
        try {
          const doing = apply({ processes, proxies, commands });
          takesTime = doing !== undefined;
          if (takesTime) tell(beganMs, '');
          await doing;
        } catch (error) {
          event.error = error instanceof Error ? error.message : String(error);
        }
        const endedMs = performance.now();
        event.doneSeconds = (endedMs - startMs) / 1000;
        watcher.ended?.(index, endedMs, event.error === undefined);
        if (event.error !== undefined) tell(endedMs, `, which could not be done: ${event.error}`);
        else tell(endedMs, takesTime ? ` took ${((endedMs - beganMs) / 1000).toFixed(2)} s` : '');
      };
      for (const [index, fault] of plan.faults.entries()) {
        const event = events[index];
        if (event !== undefined)
          timers.push(setTimeout(() => void carryOut(index, fault, event), fault.atSeconds * 1000));
      }
    },
    undo,
    close,
  };
};
