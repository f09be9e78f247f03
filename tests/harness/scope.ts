/**
 * Where clean-up is registered.
 * @module
 */

/** A test's context, or `node:test` itself for a whole file. */
export interface Scope {
  after(clean: () => void | Promise<void>): void;
}

/**
 * A scope for the hooks of a suite, whose `before` has no scope. What is registered there is
 * cleaned up at the end of the suite, the last first.
 */
export const scopeOfSuite = (suite: Scope): Scope => {
  const cleaners: (() => void | Promise<void>)[] = [];
  suite.after(async () => {
    for (const clean of cleaners.reverse()) await clean();
  });
  return { after: (clean) => void cleaners.push(clean) };
};
