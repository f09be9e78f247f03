/**
 * Signs in the sessions of the open model before it is measured.
 * @module
 */

import type { ConsistencyChecker } from '../measures/consistency.ts';
import { Recorder } from '../measures/recorder.ts';
import { limitsOf, type RunOptions } from '../options/run-options.ts';
import type { HeldToken } from '../scenarios/exchange.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { Lanes } from '../targets/lanes.ts';

/** Logins under way at once: hashing is the target's bottleneck, more would only wait. */
const loginsAtOnce = 16;
/** Tries per session: a target that hashes may say that it is busy. */
const triesMax = 3;
/** Time between two lines of progress, milliseconds. */
const progressMs = 5000;

/**
 * Signs sessions in. Those that fail are missing from the result.
 * @param count how many sessions
 * @param say shows the progress
 */
export const signIn = async (
  options: RunOptions,
  count: number,
  accounts: AccountSource,
  checker: ConsistencyChecker,
  say: (text: string) => void,
  interrupted: AbortSignal,
): Promise<readonly HeldToken[]> => {
  const connection = new Lanes(options.target, limitsOf(options), loginsAtOnce);
  // Preparation is no measurement: its records are discarded.
  const measures = { recorder: new Recorder(), checker, nowMs: () => performance.now() };
  const tokens: HeldToken[] = [];
  let next = 0;
  let saidAtMs = performance.now();
  const signInOne = async (index: number): Promise<void> => {
    const credentials = accounts.credentialsOf(index % options.users);
    const user = new VirtualUser({ connection, credentials, hasAccount: accounts.kind === 'imported', measures });
    for (let tries = 0; tries < triesMax && user.token === undefined; tries++) await user.enter();
    if (user.token !== undefined) tokens.push(user.token);
  };
  const work = async (): Promise<void> => {
    while (next < count && !interrupted.aborted) {
      await signInOne(next++);
      if (performance.now() - saidAtMs < progressMs) continue;
      saidAtMs = performance.now();
      say(`Signed in ${tokens.length} of ${count} sessions`);
    }
  };
  await Promise.all(Array.from({ length: loginsAtOnce }, work));
  await connection.destroy();
  say(`Signed in ${tokens.length} of ${count} sessions`);
  return tokens;
};
