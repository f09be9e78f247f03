/**
 * Faults of a scenario that reach no caller: an unhandled rejection, an error in a timer, a
 * forbidden call. They are counted here until the load, or the end of the run, takes them.
 * @module
 */

import { PlacedFault } from './describe-fault.ts';
import { ExceptionCounts } from './exceptions.ts';
import { blockedSecondsMax, whenBlocked } from './watchdog.ts';

/** The stray faults of this process. */
export const strayFaults: ExceptionCounts = new ExceptionCounts();

let isHearing = false;
let tellFatal: ((thrown: unknown) => void) | undefined;

const hear =
  (where: string) =>
  (thrown: unknown): void =>
    tellFatal === undefined ? strayFaults.note(thrown, where) : tellFatal(thrown);

/**
 * Takes every uncaught exception and rejection from now on.
 * @param fatal called until {@link containFaults} is: while no scenario runs, it is a fault of the
 *   lab, which cannot go on
 */
export const hearFaults = (fatal?: (thrown: unknown) => void): void => {
  isHearing = true;
  tellFatal = fatal;
  process.on('uncaughtException', hear('code that nothing waits for, such as a timer'));
  process.on('unhandledRejection', hear('a promise that nothing waits for'));
  whenBlocked(({ place, isElsewhere }) => {
    if (isElsewhere) return;
    const message = `code that did not give way for ${blockedSecondsMax} s was ended`;
    strayFaults.note(new PlacedFault(message, place || 'code of the lab'));
  });
};

/**
 * Whether this process is one of the lab's own, and not that of a test or a tool which loads a
 * scenario.
 */
export const isOwnProcess = (): boolean => isHearing;

/** From now on such faults are counted: a run goes on, and is invalid. */
export const containFaults = (): void => {
  tellFatal = undefined;
};
