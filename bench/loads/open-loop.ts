/**
 * The open load loop: work begins at a rate, whether or not earlier work has ended.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Starts an act at a rate. A start is never put off by answers that do not come, so a stall shows in every latency that is counted from
 * the intended start.
 * @param act is given its number, and its intended start on the clock of `performance.now()`
 * @returns when all have been started, the promise of each
 */
export const openLoop = async <Result>(
  perSecond: number,
  count: number,
  act: (index: number, dueMs: number) => Promise<Result>,
): Promise<readonly Promise<Result>[]> => {
  const beganMs = performance.now();
  const started: Promise<Result>[] = [];
  for (let index = 0; index < count; index++) {
    const dueMs = beganMs + (1000 * index) / perSecond;
    const earlyMs = dueMs - performance.now();
    if (earlyMs > 0) await delay(earlyMs);
    const one = act(index, dueMs);
    // A failure before the caller waits for it would count as an unhandled rejection.
    one.catch(() => {});
    started.push(one);
  }
  return started;
};
