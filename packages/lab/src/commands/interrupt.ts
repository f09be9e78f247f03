/**
 * Being told to stop.
 * @module
 */
import { exitCodes } from '../reports/result.ts';

/** A way to be told to stop. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does. */
  readonly stop: () => void;
}

/** Aborts at the first Ctrl-C or SIGTERM; the second one ends the process, and what it has started, without results. */
export const listenForInterrupt = (): Interrupt => {
  const interrupt = new AbortController();
  const stop = (): void => (interrupt.signal.aborted ? process.exit(exitCodes.invalid) : interrupt.abort());
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, stop);
  return { signal: interrupt.signal, stop };
};
