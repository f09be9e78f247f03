/**
 * Ends what a test has started when the test's process is gone, however it went: a small process of its own holds the other end of a pipe
 * that the system closes then. Both halves are here, the owner's and the watchdog's.
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '../wait-until.ts';

const endMsMax = 20_000;

/**
 * Starts a watchdog. It comes first and what it watches after it, so that no moment is left in which a kill leaves something behind.
 * @param script file beside this one's folder that calls {@link whenOwnerIsGone}
 * @param args what it has to end
 * @returns ends what is watched, and waits until that is done
 */
export const startWatchdog = (script: string, ...args: readonly string[]): (() => Promise<void>) => {
  // A process group of its own keeps it out of what is killed with the test.
  const watchdog = spawn(process.execPath, [fileURLToPath(new URL(`../${script}`, import.meta.url)), ...args], {
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  });
  watchdog.unref();
  return async () => {
    watchdog.stdin?.end();
    const isGone = (): boolean => watchdog.exitCode !== null || watchdog.signalCode !== null;
    await waitUntil('A watchdog', 'end', endMsMax, isGone);
  };
};

/** In the watchdog: cleans once the owner has closed its end or is gone. */
export const whenOwnerIsGone = (clean: () => Promise<void>): void => {
  process.stdin.resume();
  process.stdin.once('close', () => void clean());
};
