/**
 * What a stop has to undo.
 * @module
 */

import type { StopManner } from '../http/stop-manner.ts';

/** Undoes one step of a start. */
export type Close = (manner: StopManner) => Promise<void> | void;

/**
 * The steps of a start, undone in the opposite order: what was opened last may use everything
 * before it.
 */
export class Closers {
  readonly #steps: Close[] = [];

  /** Remembers how a step is undone. */
  add(close: Close): void {
    this.#steps.push(close);
  }

  /** Undoes every step, one after the other. */
  async close(manner: StopManner): Promise<void> {
    for (const close of this.#steps.splice(0).reverse()) await close(manner);
  }
}
