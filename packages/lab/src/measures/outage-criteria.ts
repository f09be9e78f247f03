/**
 * Criteria of a target during an outage of a part that it uses, phase by phase, and after the part
 * is back.
 * @module
 */
import type { Verdict } from '../results/verdict.ts';
import { judge, outcomesOf, percentOf, type Taken } from './criteria.ts';
import type { MeasuredOutage } from './outage-measure.ts';
import type { Phase } from './phases.ts';

/** Real failures while nothing is broken, or only what makes the target fast, per cent. */
const failuresPercentMax = 1;
/** Aim while Redis is away, per cent: it is reported and fails nothing. */
const failuresPercentAim = 0.1;
/** Real failures of token checks sent within the lease while the database is away, per cent. */
const leasedFailuresPercentMax = 1;
/** Recovery after Redis has come back, milliseconds. */
const recoveryMsMax = 1000;

/** Criteria that decide, and aims that are only reported. */
export interface Judged {
  readonly verdicts: readonly Verdict[];
  readonly aims: readonly Verdict[];
}

const nothing: Judged = { verdicts: [], aims: [] };

const shareOf = (part: number, all: number): Taken =>
  percentOf(part, all) ?? { reason: 'no request was sent in it: use a longer run or more users' };

/**
 * Judges a phase. A request that an outage has cut counts against the outage, not against the quiet
 * in which it was sent. The start of users, and outages of unknown parts, are not judged.
 */
export const judgePhase = ({ start, window, leasedChecks, cut, inherited }: Phase): Judged => {
  const { name, kind, subject } = start;
  const { real, all } = outcomesOf(window);
  const failures = (limit: number): readonly Verdict[] => [
    judge(`${name}: real failures, %`, limit, shareOf(real - cut + inherited, all + inherited)),
  ];
  if (kind === 'before' || kind === 'after') return { ...nothing, verdicts: failures(failuresPercentMax) };
  if (subject === 'redis') return { verdicts: failures(failuresPercentMax), aims: failures(failuresPercentAim) };
  // A phase that begins after the lease has ended, because something else has healed, has nothing
  // to judge.
  if (subject !== 'postgres' || (start.leaseEndsAtMs ?? 0) <= start.fromMs) return nothing;
  const criterion = `${name}: real failures of token checks within the lease, %`;
  const share = shareOf(leasedChecks.real, leasedChecks.requests);
  return { ...nothing, verdicts: [judge(criterion, leasedFailuresPercentMax, share)] };
};

/** A recovery, judged. */
export interface JudgedRecovery extends Judged {
  /** Milliseconds from the healing to the last real failure; `undefined` when nothing was sent. */
  readonly failuresEndMs: number | undefined;
  /**
   * Milliseconds from the healing until sign-outs were usual again, at least; `undefined` when the
   * usual time is not known.
   */
  readonly logoutsUsualMs: number | undefined;
  /** Why sign-outs are not judged; `undefined` when they are, or when nothing is asked. */
  readonly notJudged: string | undefined;
}

const notJudgedBecause = (usualMs: number | undefined, isSeen: boolean): string | undefined => {
  if (usualMs === undefined) return 'too few sign-outs before the first outage to say what is usual';
  return isSeen ? undefined : 'too few sign-outs, or too little time, to see two usual seconds';
};

/**
 * Judges how long a target took to be as before. Asked of it is something only after Redis has come
 * back.
 * @param usualMs longest usual time of a sign-out
 */
export const judgeRecovery = ({ outage, recovery }: MeasuredOutage, usualMs: number | undefined): JudgedRecovery => {
  const usual = usualMs === undefined ? undefined : recovery?.usualAgain(usualMs);
  const failuresEndMs = recovery?.lastFailureAfterMs;
  // A lower bound above the limit has failed, whatever came after.
  const isKnown = usual !== undefined && (usual.isSeen || usual.afterMs > recoveryMsMax);
  const notJudged = isKnown ? undefined : notJudgedBecause(usualMs, usual?.isSeen === true);
  const asked =
    outage.subject !== 'redis' || recovery === undefined
      ? []
      : [
          judge(
            `${outage.name}: healed until the last real failure, ms`,
            recoveryMsMax,
            failuresEndMs ?? { reason: 'no request was sent after the healing: use a longer run' },
          ),
          judge(
            `${outage.name}: healed until logouts take their usual time, ms`,
            recoveryMsMax,
            isKnown ? usual.afterMs : { reason: `${notJudged}: use more users` },
          ),
        ];
  return {
    ...nothing,
    verdicts: asked,
    failuresEndMs,
    logoutsUsualMs: usual?.afterMs,
    notJudged: recovery === undefined ? undefined : notJudged,
  };
};
