/**
 * Carries out the faults of a run at their times, and undoes what is left of them at its end.
 * @module
 */
import type { FaultPlan } from './plan.ts';
import { ProcessUnderFault } from './process-under-fault.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

/** A fault, planned and done. */
export interface FaultEvent {
  readonly name: string;
  readonly fault: string;
  readonly plannedSeconds: number;
  /** `undefined`: the run ended before. */
  actualSeconds: number | undefined;
  /** Why it could not be done. */
  error: string | undefined;
}

/** The faults of a run, ready or under way. */
export interface FaultTimeline {
  readonly events: readonly FaultEvent[];
  /** Lets time run. `say` is told each fault as it happens. */
  start(say: (line: string) => void): void;
  /** No more faults; paused processes go on, proxies are healed and stay until {@link close}. */
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
  const events: FaultEvent[] = plan.faults.map(({ name, fault, atSeconds }) => ({
    name,
    fault,
    plannedSeconds: atSeconds,
    actualSeconds: undefined,
    error: undefined,
  }));
  const timers: NodeJS.Timeout[] = [];
  const undo = (): void => {
    for (const timer of timers) clearTimeout(timer);
    for (const subject of processes.values()) subject.undo();
    for (const proxy of proxies.values()) proxy.heal();
  };
  // Also when the lab itself breaks: a process must not stay paused for ever.
  process.once('exit', undo);
  const close = async (): Promise<void> => {
    undo();
    process.removeListener('exit', undo);
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
    start: (say) => {
      const startMs = performance.now();
      for (const [index, fault] of plan.faults.entries()) {
        const carryOut = (): void => {
          const event = events[index];
          if (event === undefined) return;
          event.actualSeconds = (performance.now() - startMs) / 1000;
          try {
            fault.apply({ processes, proxies });
          } catch (error) {
            event.error = error instanceof Error ? error.message : String(error);
          }
          const failed = event.error === undefined ? '' : `, which could not be done: ${event.error}`;
          say(`${event.actualSeconds.toFixed(1).padStart(6)} s  fault ${event.name}:${event.fault}${failed}`);
        };
        timers.push(setTimeout(carryOut, fault.atSeconds * 1000));
      }
    },
    undo,
    close,
  };
};
