/**
 * Being told to stop.
 * @module
 */

/** A signal that aborts at the first Ctrl-C or SIGTERM; the second one ends the process. */
export const interruptSignal = (): AbortSignal => {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
  return interrupt.signal;
};
