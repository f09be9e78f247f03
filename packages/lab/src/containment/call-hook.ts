/**
 * Calls code of a scenario that a run waits for, but not for ever.
 * @module
 */

import { PlacedFault } from './describe-fault.ts';
import type { ExceptionCounts } from './exceptions.ts';
import { unblock, whenBlocked } from './watchdog.ts';

/** A hook and how it is called. */
export interface HookCall {
  /** Its name, for people. */
  readonly name: string;
  readonly call: () => unknown;
  /** Longest wait for it. */
  readonly secondsMax: number;
  /** Counts its exceptions. */
  readonly faults: ExceptionCounts;
  /** Ends the wait early. */
  readonly interrupted?: AbortSignal;
}

/** Calls a hook and waits for its end. Never rejects: failures are counted. */
export const callHook = async ({ name, call, secondsMax, faults, interrupted }: HookCall): Promise<void> => {
  const where = `hook ${name}`;
  const { promise: over, resolve: end } = Promise.withResolvers<void>();
  const deadline = setTimeout(() => {
    faults.note(new PlacedFault(`the hook ${name} has not ended within ${secondsMax} s`, where));
    end();
  }, secondsMax * 1000);
  const notBlocked = whenBlocked(() => {
    unblock();
    end();
  });
  const giveUp = (): void => end();
  interrupted?.addEventListener('abort', giveUp);
  // Inside a promise, so that a synchronous throw becomes a rejection too.
  const called = Promise.resolve()
    .then(call)
    .catch((thrown: unknown) => faults.note(thrown, where));
  await Promise.race([called, over]);
  clearTimeout(deadline);
  notBlocked();
  interrupted?.removeEventListener('abort', giveUp);
};
