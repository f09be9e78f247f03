/**
 * Exceptions of a scenario, counted by message and line.
 * @module
 */
import { CountedFault, describeFault } from './describe-fault.ts';

/** A fault of a scenario. Faults of the target are outcomes. */
export interface ScenarioException {
  readonly message: string;
  readonly traceback: string;
  /**
   * `file:line` of the scenario, or another description of the place; empty when the place is
   * unknown.
   */
  readonly place: string;
  readonly count: number;
}

/**
 * Most distinct exceptions: a message that names an id is a new one each time. Later ones share one
 * message.
 */
const exceptionsMax = 100;
const otherExceptions = 'other exceptions';

/** Counts exceptions. All are counted, however many there are. */
export class ExceptionCounts {
  readonly #counts = new Map<string, ScenarioException>();

  /** The first one of each kind, and how many there were. */
  get all(): readonly ScenarioException[] {
    return [...this.#counts.values()];
  }

  /**
   * Counts an exception, unless it was counted where it was made.
   * @param where a description of the place, for an exception that names no line
   */
  note(thrown: unknown, where = ''): void {
    if (!(thrown instanceof CountedFault)) this.count(thrown, where);
  }

  /** Counts a fault. */
  count(thrown: unknown, where = ''): void {
    this.absorb([{ ...describeFault(thrown, where), count: 1 }]);
  }

  /** Adds the counts of another one. */
  absorb(exceptions: readonly ScenarioException[]): void {
    for (const exception of exceptions) {
      const own = `${exception.message}\n${exception.place}`;
      const isOwn = this.#counts.has(own) || this.#counts.size < exceptionsMax;
      const key = isOwn ? own : otherExceptions;
      const known = this.#counts.get(key);
      const first = known ?? (isOwn ? exception : { ...exception, message: otherExceptions });
      this.#counts.set(key, { ...first, count: (known?.count ?? 0) + exception.count });
    }
  }

  /** Returns the counts, and begins anew. */
  take(): readonly ScenarioException[] {
    const taken = this.all;
    this.#counts.clear();
    return taken;
  }
}
