/**
 * What a scenario throws, counted by its message.
 * @module
 */

/** A fault of a scenario, not of the target: what the target does wrong is an outcome. */
export interface ScenarioException {
  readonly message: string;
  readonly traceback: string;
  readonly count: number;
}

/** Most different exceptions that are told apart: a message that names an id is a new one each time. The rest share one message. */
const exceptionsMax = 100;
const otherExceptions = 'other exceptions';

/** Counts exceptions. All are counted, however many there are. */
export class ExceptionCounts {
  readonly #counts = new Map<string, ScenarioException>();

  /** The first one with each message, and how many there were. */
  get all(): readonly ScenarioException[] {
    return [...this.#counts.values()];
  }

  /** Counts what was thrown. */
  note(thrown: unknown): void {
    const { message, stack = '' } = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.absorb([{ message, traceback: stack, count: 1 }]);
  }

  /** Adds what was counted elsewhere. */
  absorb(exceptions: readonly ScenarioException[]): void {
    for (const exception of exceptions) {
      const isKnown = this.#counts.has(exception.message) || this.#counts.size < exceptionsMax;
      const message = isKnown ? exception.message : otherExceptions;
      const known = this.#counts.get(message);
      this.#counts.set(message, {
        message,
        traceback: (known ?? exception).traceback,
        count: (known?.count ?? 0) + exception.count,
      });
    }
  }
}
