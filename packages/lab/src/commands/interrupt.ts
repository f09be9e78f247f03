/**
 * Being told to stop.
 * @module
 */
import { exitCodes } from '../reports/result.ts';

/** A signal that aborts at the first Ctrl-C or SIGTERM; the second one ends the process, and what it has started. */
export const interruptSignal = (): AbortSignal => {
  const interrupt = new AbortController();
  const stop = (): void => (interrupt.signal.aborted ? process.exit(exitCodes.invalid) : interrupt.abort());
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  return interrupt.signal;
};
