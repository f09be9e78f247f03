/**
 * Clean-up for every end of this process except SIGKILL: paused processes go on, commands end, the
 * terminal is restored.
 * @module
 */

const acts = new Set<() => void>();
let hasRun = false;

const runAll = (): void => {
  if (hasRun) return;
  hasRun = true;
  // The last one first: it may depend on earlier ones.
  for (const act of [...acts].reverse())
    try {
      act();
    } catch {
      // The others must be undone all the same.
    }
};

process.on('exit', runAll);

/** Does something when the process ends. Returns how to call it off. */
export const atExit = (act: () => void): (() => void) => {
  acts.add(act);
  return () => acts.delete(act);
};

const exit = process.exit.bind(process);

/**
 * Ends this process at once, everything that is to happen then done. A scenario may have put
 * something else in the place of `process.exit`.
 */
export const endProcess = (code: number): never => {
  runAll();
  return exit(code);
};
