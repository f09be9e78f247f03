/**
 * One coarse clock for the deadlines of all connections: a timer for each of 4,000 requests a
 * second would cost more than reading the answers.
 * @module
 */

/** Something that may take too long. */
export interface Perishable {
  /**
   * When it has taken too long, on the monotonic clock in milliseconds; `Infinity` while nothing is
   * awaited.
   */
  readonly deadlineMs: number;
  /** Is told, up to a sweep late. It may end itself. */
  expire(): void;
}

/** Time between two looks at all deadlines, milliseconds. A timeout may be late by as much. */
export const sweepMs = 100;

const watched = new Set<Perishable>();
let timer: NodeJS.Timeout | undefined;

const sweep = (): void => {
  const nowMs = performance.now();
  for (const each of watched) if (each.deadlineMs <= nowMs) each.expire();
};

/** Watches the deadline of something until it is let go. */
export const watchDeadline = (perishable: Perishable): void => {
  watched.add(perishable);
  timer ??= setInterval(sweep, sweepMs);
};

/** Lets go. */
export const releaseDeadline = (perishable: Perishable): void => {
  watched.delete(perishable);
  if (watched.size > 0) return;
  clearInterval(timer);
  timer = undefined;
};
