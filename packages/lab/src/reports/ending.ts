/**
 * How a run ended, in words.
 * @module
 */
import { exitCodes, type RunResult } from '../results/result.ts';

const endings: Readonly<Record<number, string>> = {
  [exitCodes.passed]: 'passed',
  [exitCodes.notJudged]: 'not judged, nothing is proven',
  [exitCodes.criterionFailed]: 'a criterion failed',
  [exitCodes.invalid]: 'invalid, the run may not be believed',
  [exitCodes.violated]: 'CONSISTENCY VIOLATED, a revoked token was accepted',
  [exitCodes.unreachable]: 'the target was unreachable',
};

/** How a run ended before its time, in brackets. */
export const asideOf = (ended: RunResult['ended']): string =>
  ended === 'interrupted' ? ' (interrupted)' : ended === 'aborted' ? ' (ended early by --abort-when)' : '';

/** The end of a run, for a headline. */
export const endingOf = ({ exit_code, ended }: RunResult): string =>
  `${endings[exit_code] ?? `exit code ${exit_code}`}${asideOf(ended)}`;
