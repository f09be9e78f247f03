/**
 * Ends the servers of a test when the test's process is gone, however it ended: a small separate process holds the other end of a pipe that
 * the system closes then. Both halves are here, the owner's and the watchdog's.
 * @module
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '../wait-until.ts';

/** Long enough to flush and delete the databases of a contract suite on a busy machine. */
const endMsMax = 60_000;

/**
 * Starts a watchdog. Start it before the processes that it watches: then a kill at any moment leaves nothing behind.
 * @param script a file of the harness that calls {@link whenOwnerIsGone}
 * @param args name the processes that it ends
 * @returns ends the watched processes, and waits until that is done
 */
export const startWatchdog = (script: string, ...args: readonly string[]): (() => Promise<void>) => {
  // In its own process group it survives a kill of the test's group.
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
