/**
 * Being told to stop.
 * @module
 */

import { exitCodes } from '../results/result.ts';
import { endProcess } from './at-exit.ts';

/** Ctrl-C, `kill`, a terminal that is closed, Ctrl-\\, and Ctrl-Break of Windows. */
export const endingSignals: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  ...(process.platform === 'win32' ? (['SIGBREAK'] as const) : []),
];

/** A way to be told to stop. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does. */
  readonly stop: () => void;
}

/**
 * Aborts at the first of these signals; the second one ends the process, and what it has started,
 * without results. Faults are undone by both.
 */
export const listenForInterrupt = (): Interrupt => {
  const interrupt = new AbortController();
  const stop = (): void => (interrupt.signal.aborted ? endProcess(exitCodes.invalid) : interrupt.abort());
  for (const name of endingSignals) process.on(name, stop);
  return { signal: interrupt.signal, stop };
};
