/**
 * Criteria of a run: for all requests, for one endpoint, and for the checks, counters and trends of
 * a custom scenario.
 *
 * A criterion has three spellings and one meaning: keys with units in a scenario, short names in a
 * file, words on the command line.
 * @module
 */

/** Subject of a criterion. */
export type Subject = 'run' | 'check' | 'counter' | 'trend' | 'endpoint';

/** How a measure is spelt and what its limit may be. */
interface Measure {
  /** Its key in a scenario. */
  readonly key: string;
  readonly unit: 'ms' | '%' | '';
  /** The limit is the least that is allowed, not the most. */
  readonly isLeast?: true;
}

const ms = (key: string): Measure => ({ key, unit: 'ms' });
const percent = (key: string): Measure => ({ key, unit: '%' });
const most = (key: string): Measure => ({ key, unit: '' });
const least = (key: string): Measure => ({ key, unit: '', isLeast: true });

/** All measures, by subject and short name. */
export const measures: Readonly<Record<Subject, Readonly<Record<string, Measure>>>> = {
  run: {
    p50: ms('p50MsMax'),
    p95: ms('p95MsMax'),
    p99: ms('p99MsMax'),
    failures: percent('realFailuresPercentMax'),
    'endpoint-failures': percent('endpointFailuresPercentMax'),
    rejected: ms('rejectedMsMax'),
  },
  endpoint: {
    p50: ms('p50MsMax'),
    p95: ms('p95MsMax'),
    p99: ms('p99MsMax'),
    failures: percent('realFailuresPercentMax'),
  },
  check: { failed: percent('failedPercentMax') },
  counter: {
    min: least('min'),
    max: most('max'),
    'per-second-min': least('perSecondMin'),
    'per-second-max': most('perSecondMax'),
  },
  trend: {
    p50: most('p50Max'),
    p95: most('p95Max'),
    p99: most('p99Max'),
    mean: most('meanMax'),
    'mean-min': least('meanMin'),
    min: least('minMin'),
    max: most('maxMax'),
  },
};

/** One criterion. */
export interface Criterion {
  readonly of: Subject;
  /** Of the check, counter, trend or endpoint (`GET /items`); empty for the run. */
  readonly name: string;
  /** Short name of the measure. */
  readonly measure: string;
  /** `null`: switched off, even if an earlier source asked for it. */
  readonly limit: number | null;
}

/** A criterion that is asked for. */
export interface AskedCriterion extends Criterion {
  readonly limit: number;
}

/** How a criterion is named: `p95`, `endpoint GET /items: p95`. */
export const nameOf = ({ of, name, measure }: Omit<Criterion, 'limit'>): string =>
  of === 'run' ? measure : `${of} ${name}: ${measure}`;

/** Whether the limit is the least that is allowed. */
export const isLeast = ({ of, measure }: Criterion): boolean => measures[of][measure]?.isLeast === true;

/**
 * Real failures that every run allows unless something else is said: a service that answers nothing
 * but errors must not pass.
 */
export const failuresByDefault: AskedCriterion = { of: 'run', name: '', measure: 'failures', limit: 1 };

/**
 * Puts criteria together: of two about the same the later one counts, and one that is switched off
 * is left out.
 * @throws Error when a least allowed value is above the most allowed one
 */
export const combine = (...lists: readonly (readonly Criterion[])[]): readonly AskedCriterion[] => {
  const byName = new Map(lists.flat().map((criterion) => [nameOf(criterion), criterion]));
  const asked = [...byName.values()].filter((criterion): criterion is AskedCriterion => criterion.limit !== null);
  for (const [low, high] of [
    ['min', 'max'],
    ['per-second-min', 'per-second-max'],
    ['mean-min', 'mean'],
  ] as const)
    for (const one of asked.filter(({ measure }) => measure === low)) {
      const other = byName.get(nameOf({ ...one, measure: high }));
      if (other?.limit != null && other.limit < one.limit)
        throw new Error(`${nameOf(one)} is ${one.limit}, and ${high} is ${other.limit}: nothing can keep both`);
    }
  return asked;
};
