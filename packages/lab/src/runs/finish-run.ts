/**
 * The end of a run: writes its files, calls its last hook, and prints the findings.
 * @module
 */

import { callHook } from '../containment/call-hook.ts';
import { ExceptionCounts } from '../containment/exceptions.ts';
import { strayFaults } from '../containment/stray-faults.ts';
import type { RunOptions } from '../options/run-options.ts';
import { withLateFaults } from '../reports/late-faults.ts';
import { summaryLines } from '../reports/summary.ts';
import { writeResult } from '../reports/write-result.ts';
import { exitCodes, type RunResult, worstExitCode } from '../results/result.ts';
import { complain, say } from '../texts/say.ts';

/** Longest wait for the last hook, seconds: it may send files somewhere. */
const quittingSecondsMax = 60;

/**
 * Ends a run.
 * @returns the exit code
 */
export const finishRun = async (measured: RunResult, { out, scenario }: RunOptions): Promise<number> => {
  let result = withLateFaults(measured, strayFaults.take());
  let written = writeResult(result, out);
  const faults = new ExceptionCounts();
  const call = (): unknown => scenario.custom?.hooks?.quitting?.(result);
  // After the files, which it may want to read. A fault of it is one of the run: they are written
  // once more then.
  await callHook({ name: 'quitting', call, secondsMax: quittingSecondsMax, faults });
  const late = [...faults.take(), ...strayFaults.take()];
  if (late.length > 0) {
    result = withLateFaults(result, late);
    written = writeResult(result, out);
  }
  for (const line of summaryLines(result, written.files)) say(line);
  for (const failure of written.failures) complain(failure);
  return worstExitCode([result.exit_code, ...(written.failures.length === 0 ? [] : [exitCodes.invalid])]);
};
