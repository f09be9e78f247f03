/**
 * What a stop has to undo.
 * @module
 */

/** Undoes one step of a start. @param isQuick see `HttpServer.close` */
export type Close = (isQuick: boolean) => Promise<void> | void;

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
  async close(isQuick: boolean): Promise<void> {
    for (const close of this.#steps.splice(0).reverse()) await close(isQuick);
  }
}
