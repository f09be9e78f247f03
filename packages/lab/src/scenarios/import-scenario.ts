/**
 * Loads the code of a scenario, which may do anything: it is kept from ending the lab, and waited
 * for, but not for ever.
 * @module
 */
import { guardProcess } from '../containment/guard-process.ts';
import { containFaults, isOwnProcess } from '../containment/stray-faults.ts';
import { startWatchdog, whenBlocked } from '../containment/watchdog.ts';

/**
 * Longest wait for a file to load, seconds: the file defines a scenario; long work belongs in
 * `testStart`.
 */
const importSecondsMax = 30;
/** Frames of a stack that are kept: the line of the scenario may lie below many of libraries. */
const stackFrames = 30;

/**
 * Imports a file.
 * @param url of the file
 * @throws the error of the file, or an Error when loading does not end
 */
export const importScenario = async (url: string): Promise<unknown> => {
  if (isOwnProcess()) {
    guardProcess();
    containFaults();
    await startWatchdog();
  }
  Error.stackTraceLimit = Math.max(Error.stackTraceLimit, stackFrames);
  const { promise: stuck, reject: giveUp } = Promise.withResolvers<never>();
  const deadline = setTimeout(
    () =>
      giveUp(new Error(`it has not loaded within ${importSecondsMax} s: an "await" outside of all functions waits`)),
    importSecondsMax * 1000,
  );
  const notBlocked = whenBlocked(({ place }) =>
    giveUp(
      new Error(`its code does not give way${place === '' ? '' : `, at ${place}`}: a loop outside of all functions`),
    ),
  );
  try {
    return await Promise.race([import(url), stuck]);
  } finally {
    clearTimeout(deadline);
    notBlocked();
  }
};
