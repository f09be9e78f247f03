/**
 * Waits for a condition that has no event.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';

const pollMs = 10;

/**
 * Checks a condition every 10 ms until it is true.
 * @throws Error "WHO did not WHAT within N ms"
 */
export const waitUntil = async (
  who: string,
  what: string,
  msMax: number,
  isSo: () => boolean | Promise<boolean>,
): Promise<void> => {
  for (const deadline = performance.now() + msMax; !(await isSo()); await delay(pollMs))
    if (performance.now() > deadline) throw new Error(`${who} did not ${what} within ${msMax} ms`);
};
