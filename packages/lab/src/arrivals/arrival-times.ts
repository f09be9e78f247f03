/**
 * When the open model starts its tasks, and which. Pure: the same seed gives the same times and
 * tasks.
 * @module
 */
import { randomOf } from './random.ts';
import { rateAt, type Stage } from './stages.ts';

/** The arrivals that a run asks for. */
export interface ArrivalRate {
  /** Starts per second where there are no stages. */
  readonly perSecond: number;
  readonly stages: readonly Stage[];
  readonly durationSeconds: number;
  /** Even gaps, or those of independent visitors (a Poisson process), which come in bunches. */
  readonly spacing: 'even' | 'random';
  readonly seed: string;
}

/** Most starts of a run: their times are held in memory. */
export const startsMax = 20_000_000;

/**
 * Sums of gaps miss the end of a stage by less than this: a start there belongs to the next one.
 */
const slackSeconds = 1e-7;

/** Starts that a run intends, about. */
export const startsOf = ({ perSecond, stages, durationSeconds }: Omit<ArrivalRate, 'spacing' | 'seed'>): number =>
  stages.length === 0
    ? perSecond * durationSeconds
    : stages.reduce((sum, stage) => sum + (stage.rate ?? perSecond) * stage.durationSeconds, 0);

/** Says why the starts of a run cannot be planned; `undefined` when they can. */
export const refuseStarts = (plan: Omit<ArrivalRate, 'spacing' | 'seed'>): string | undefined => {
  const starts = startsOf(plan);
  return starts <= startsMax
    ? undefined
    : `Cannot plan ${Math.round(starts).toLocaleString('en-US')} starts: their times are held in memory, at most ${startsMax.toLocaleString('en-US')}; lower the rate or the duration`;
};

/**
 * Times of all starts in order, milliseconds since the start of the run.
 * @throws RangeError when there are too many
 */
export const arrivalTimes = (plan: ArrivalRate): Float64Array => {
  const refusal = refuseStarts(plan);
  if (refusal !== undefined) throw new RangeError(refusal);
  const random = randomOf(`${plan.seed}/arrivals`, 0);
  const times: number[] = [];
  for (let seconds = 0; seconds < plan.durationSeconds - slackSeconds && times.length < 2 * startsMax; ) {
    times.push(seconds * 1000);
    const gap = 1 / rateAt(plan.stages, plan.perSecond, seconds + slackSeconds);
    seconds += plan.spacing === 'even' ? gap : -Math.log(1 - random()) * gap;
  }
  return Float64Array.from(times);
};
