/**
 * The steps of a search for capacity: runs with ever more users, each judged beside the others.
 * Pure.
 * @module
 */
import { type LimitReached, limitsReached } from '../reports/bottleneck.ts';
import { exitCodes, type RunResult } from '../results/result.ts';

/** How well a target carries a number of users. */
export type Grade = 'optimal' | 'acceptable' | 'degraded' | 'saturated';

/** One step. */
export interface CapacityStep {
  readonly users: number;
  /** Whether every user logged in. Without it the figures are those of the whole run. */
  readonly isSteady: boolean;
  /** Requests a second. */
  readonly throughput: number;
  /** Requests that the target had at a time, by Little's law: throughput times mean latency. */
  readonly concurrency: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  /** Real failures, per cent of the requests. */
  readonly failedPercent: number;
  /**
   * Whether the run met every criterion of its scenario: each was judged, and kept, and the run may
   * be believed.
   */
  readonly isMet: boolean;
  /** Exit code of the run. */
  readonly exitCode: number;
  readonly limits: readonly LimitReached[];
}

/** A step and what it is worth beside the others. */
export interface GradedStep extends CapacityStep {
  readonly grade: Grade;
  /** Throughput to that of the smallest step for each user. */
  readonly share: number;
}

const rules = {
  /** Real failures from which a step is degraded, and saturated, per cent. */
  degradedFailuresPercent: 0.1,
  saturatedFailuresPercent: 1,
  /**
   * Throughput grows as users to this power between two steps: 1 as they do, 0 not at all. Below it
   * the target is saturated.
   */
  growthMin: 0.3,
  /** Users count as kept waiting below this share of the requests that they would send. */
  degradedShare: 0.9,
  degradedP95Ms: 1000,
  /**
   * p95 beside that of the smallest step: by this factor and by this many milliseconds above it.
   */
  acceptableTimes: 2,
  acceptableMs: 5,
  /**
   * A resource is named when it was at its limit for at least this share of the most loaded step,
   * and at most this share of the smallest, per cent.
   */
  namedPercent: 50,
  calmPercent: 25,
} as const;

/** The rules in words. */
export const gradeRules = `saturated: ${rules.saturatedFailuresPercent} % real failures or more, or users that never got in, or throughput that grows with less than the power ${rules.growthMin} of the users. degraded: users get less than ${100 * rules.degradedShare} % of what the smallest step got for each, or p95 is above ${rules.degradedP95Ms} ms, or ${rules.degradedFailuresPercent} % real failures or more. acceptable: p95 is more than ${rules.acceptableTimes} times, and ${rules.acceptableMs} ms above, that of the smallest step. optimal: none of these.`;

/** The rule by which a resource is named, in words. */
export const limitRule = `A resource is named when it was at its limit for ${rules.namedPercent} % of the first saturated step or more, and for ${rules.calmPercent} % of the smallest step at most.`;

/** The step that a run was. */
export const stepOf = (result: RunResult): CapacityStep => {
  const { total } = result.steady ?? result.whole;
  const { percentiles_ms: percentiles } = total;
  return {
    users: result.options.users,
    isSteady: result.steady !== null,
    throughput: total.requests_per_second,
    concurrency: (total.requests_per_second * total.mean_ms) / 1000,
    p50Ms: percentiles['50'],
    p95Ms: percentiles['95'],
    p99Ms: percentiles['99'],
    failedPercent: total.requests === 0 ? 100 : (100 * total.real) / total.requests,
    isMet: result.steady !== null && result.exit_code === exitCodes.passed,
    exitCode: result.exit_code,
    limits: limitsReached(result),
  };
};

/** Grades steps. @returns them by their users */
export const gradeSteps = (steps: readonly CapacityStep[]): readonly GradedStep[] => {
  const sorted = steps.toSorted((one, other) => one.users - other.users);
  const [base] = sorted;
  if (base === undefined) return [];
  let isSaturated = false;
  return sorted.map((step, index) => {
    const before = sorted[index - 1];
    const growth =
      before === undefined ? 1 : Math.log(step.throughput / before.throughput) / Math.log(step.users / before.users);
    // Where the smallest step got nothing, nothing can be measured by it.
    const share = base.throughput === 0 ? 0 : step.throughput / step.users / (base.throughput / base.users);
    // More users than saturate a target saturate it, whatever chance does to a step.
    isSaturated ||=
      !step.isSteady || step.failedPercent >= rules.saturatedFailuresPercent || !(growth >= rules.growthMin);
    const isDegraded =
      share < rules.degradedShare ||
      (step.p95Ms ?? 0) > rules.degradedP95Ms ||
      step.failedPercent >= rules.degradedFailuresPercent;
    const calmMs = base.p95Ms ?? 0;
    const isSlower =
      (step.p95Ms ?? 0) > rules.acceptableTimes * calmMs && (step.p95Ms ?? 0) > calmMs + rules.acceptableMs;
    const grade = isSaturated ? 'saturated' : isDegraded ? 'degraded' : isSlower ? 'acceptable' : 'optimal';
    return { ...step, share, grade };
  });
};

/** Where the next step goes. */
export interface LadderRule {
  readonly usersFirst: number;
  readonly usersMax: number;
  /** Steps in between, once one is saturated. */
  readonly refinements: number;
}

/** Steps this close to each other are one. */
const closeTimes = 1.1;

/**
 * Users of the next step: twice as many until one is saturated, then between it and the one before.
 * `undefined`: there is enough.
 */
export const nextUsers = (
  steps: readonly CapacityStep[],
  { usersFirst, usersMax, refinements }: LadderRule,
): number | undefined => {
  const graded = gradeSteps(steps);
  const saturated = graded.find(({ grade }) => grade === 'saturated');
  const carried = graded.findLast(({ grade }) => grade !== 'saturated');
  if (saturated === undefined) {
    if (carried === undefined) return Math.min(usersFirst, usersMax);
    return carried.users >= usersMax ? undefined : Math.min(carried.users * 2, usersMax);
  }
  // Even the smallest is too many: down.
  if (carried === undefined) return saturated.users <= 1 ? undefined : Math.max(1, Math.floor(saturated.users / 4));
  const largest = Math.max(usersFirst, ...steps.map(({ users }) => users));
  const doubled = steps.filter(({ users }) => users === largest || Number.isInteger(Math.log2(users / usersFirst)));
  const between = Math.round(Math.sqrt(carried.users * saturated.users));
  const isClose = between <= carried.users * closeTimes || saturated.users <= between * closeTimes;
  return steps.length - doubled.length >= refinements || isClose ? undefined : between;
};

/** The limit of a target. */
export interface LimitFound {
  /** The most loaded step that was looked at; `undefined`: none was saturated. */
  readonly users: number | undefined;
  readonly named: readonly LimitReached[];
  /**
   * The generator could not make more load: the result is the generator's capacity, not the
   * target's.
   */
  readonly isGenerator: boolean;
}

/** Names it. @param steps by their users */
export const findLimit = (steps: readonly GradedStep[]): LimitFound => {
  const saturated = steps.find(({ grade }) => grade === 'saturated');
  const [base] = steps;
  if (saturated === undefined || base === undefined) return { users: undefined, named: [], isGenerator: false };
  const calm = new Map(base === saturated ? [] : base.limits.map(({ resource, percent }) => [resource, percent]));
  const named = saturated.limits
    .filter(({ resource, percent }) => percent >= rules.namedPercent && (calm.get(resource) ?? 0) <= rules.calmPercent)
    .toSorted((one, other) => other.percent - one.percent);
  return {
    users: saturated.users,
    named,
    isGenerator: named.some(({ resource }) => resource.startsWith('generator:')),
  };
};
