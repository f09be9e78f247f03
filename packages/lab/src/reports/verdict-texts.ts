/**
 * Verdicts in words.
 * @module
 */

import { remedyOf } from '../measures/validity.ts';
import type { RunResult } from '../results/result.ts';
import type { ValidityCheck, Verdict } from '../results/verdict.ts';
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

/** The criteria that were not met, with the measured values. */
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

/** A broken rule of validity: its limit, and the remedy if there is one. */
export const brokenRuleOf = ({ rule, measured, limit }: ValidityCheck): string => {
  const remedy = remedyOf(rule);
  return `${rule} is ${measured === null ? '–' : number(measured, 2)}, at most ${limit} is allowed${remedy === undefined ? '' : `; ${remedy}`}`;
};

/** Real failures that the criteria leave out; `undefined`: there are none. */
export const unjudgedFailuresOf = ({ judged, outage, whole, steady }: RunResult): string | undefined => {
  if (outage !== null || judged !== 'steady' || steady === null) return undefined;
  const failures = whole.total.real - steady.total.real;
  if (failures === 0) return undefined;
  return `${number(failures)} real ${failures === 1 ? 'failure' : 'failures'} before the steady window, not judged`;
};
