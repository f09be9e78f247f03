/**
 * Signals that stop the lab.
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

/** A request to stop. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Does what Ctrl-C does. */
  readonly stop: () => void;
}

/**
 * The same signal within this time is the same request, milliseconds: at Ctrl-C the terminal
 * signals npm and the lab, and npm passes its own signal on to the lab.
 */
const echoMsMax = 500;

/**
 * Aborts at the first of these signals; the second one ends the process, and what it has started,
 * without results. Faults are undone by both.
 */
export const listenForInterrupt = (): Interrupt => {
  const interrupt = new AbortController();
  const stop = (): void => (interrupt.signal.aborted ? endProcess(exitCodes.invalid) : interrupt.abort());
  for (const name of endingSignals) {
    let lastMs = Number.NEGATIVE_INFINITY;
    process.on(name, () => {
      const nowMs = performance.now();
      if (nowMs - lastMs > echoMsMax) stop();
      lastMs = nowMs;
    });
  }
  return { signal: interrupt.signal, stop };
};
