/**
 * Verdicts in words.
 * @module
 */

import type { RunResult } from '../results/result.ts';
import type { Verdict } from '../results/verdict.ts';
import { number } from './tables.ts';

/** `≤ 500`, `≥ 10`. */
export const boundOf = ({ limit, at_least }: Pick<Verdict, 'limit' | 'at_least'>): string =>
  `${at_least === true ? '≥' : '≤'} ${limit}`;

/** `at most 500`, `at least 10`. */
export const limitOf = ({ limit, at_least }: Pick<Verdict, 'limit' | 'at_least'>): string =>
  `at ${at_least === true ? 'least' : 'most'} ${limit}`;

/** The measured value, or the reason why there is none. */
export const measuredOf = ({ measured, reason }: Pick<Verdict, 'measured' | 'reason'>): string =>
  measured === null ? (reason ?? 'too few samples') : number(measured, 2);

/** The criteria that were not kept, with what was measured. */
export const failedOf = ({ verdicts }: RunResult): string =>
  verdicts
    .filter(({ verdict }) => verdict === 'failed')
    .map((verdict) => `${verdict.criterion} is ${measuredOf(verdict)}, ${limitOf(verdict)} was allowed`)
    .join('; ');

/** Criteria without a verdict, and the reasons. */
export const notJudgedOf = ({ verdicts, outage }: RunResult): string => {
  const unjudged = verdicts.filter(({ verdict }) => verdict === 'not judged');
  if (verdicts.length === 0)
    return outage === null
      ? 'the run was asked to keep nothing: give it a criterion, such as --failures 1'
      : 'no phase came that something is asked of: use a longer run, in which every user logs in before anything is broken';
  return unjudged.map((verdict) => `${verdict.criterion}: ${measuredOf(verdict)}`).join('; ');
};
