/**
 * Where clean-up is registered.
 * @module
 */

/** A test's context, or `node:test` itself for a whole file. */
export interface Scope {
  after(clean: () => void | Promise<void>): void;
}
