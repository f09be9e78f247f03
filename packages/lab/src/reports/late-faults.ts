/**
 * Faults of a scenario that came after its run had been judged, or in a process that measured
 * nothing.
 * @module
 */
import { ExceptionCounts, type ScenarioException } from '../containment/exceptions.ts';
import { exitCodes, type RunResult, worstExitCode } from '../results/result.ts';
import { exceptionsRule } from '../results/verdict.ts';

/** The result with them: the run is invalid. */
export const withLateFaults = (result: RunResult, faults: readonly ScenarioException[]): RunResult => {
  if (faults.length === 0) return result;
  const counts = new ExceptionCounts();
  counts.absorb(result.exceptions.map((exception) => ({ place: '', ...exception })));
  counts.absorb(faults);
  const exceptions = counts.all;
  const measured = exceptions.reduce((sum, { count }) => sum + count, 0);
  return {
    ...result,
    exceptions,
    validity: result.validity.map((check) =>
      check.rule === exceptionsRule ? { ...check, measured, verdict: 'broken' as const } : check,
    ),
    exit_code: worstExitCode([result.exit_code, exitCodes.invalid]),
  };
};
