/**
 * The validity certificate: may this run be believed? A saturated generator makes a run invalid,
 * not slow.
 * @module
 */
import { exceptionsRule, type ValidityCheck } from '../results/verdict.ts';

/**
 * The conditions of a run. All but the first four are about the judged window.
 */
export interface RunConditions {
  /** Part of the asked duration that was not run, per cent: an interrupted run cannot pass. */
  readonly leftOutPercent: number;
  /**
   * An interrupt that comes while the last answers are waited for leaves no duration out, and yet
   * cuts slow requests.
   */
  readonly isInterrupted: boolean;
  /** Planned faults that could not be done: the run was not the one asked for. */
  readonly failedFaults: number;
  /** How often the number of users was changed by hand: such a run is not the one asked for. */
  readonly changes: number;
  /** Faults of the scenario itself. */
  readonly exceptions: number;
  /**
   * Requests of the whole run for which this machine had no port or descriptor left: they are no
   * failures of the target.
   */
  readonly unsent: number;
  readonly requests: number;
  /** Generator CPU in each second, per cent of one core. */
  readonly generatorCpuPercents: readonly number[];
  /** 99th percentile of the loop's delay, milliseconds. */
  readonly loopDelayP99Ms: number;
  /** Share of the time in which the event loop was busy, per cent. */
  readonly loopBusyPercent: number;
  readonly tasks: number;
  readonly lateStarts: number;
  /**
   * Starts that were intended and never came; `undefined` in the closed model, where none is
   * intended.
   */
  readonly droppedStarts: number | undefined;
  /**
   * CPU time of neither generator nor target, steal included, per cent of the machine; `undefined`
   * when it cannot be told.
   */
  readonly foreignCpuPercent: number | undefined;
  /** Little's law over the steady window; `undefined` when the window is missing or short. */
  readonly little: LittleCheck | undefined;
}

/**
 * Users by Little's law (N = X · (R + Z)) beside users there were; of tasks, each one request or
 * several.
 */
export interface LittleCheck {
  readonly users: number;
  readonly tasksPerSecond: number;
  readonly responseSeconds: number;
  readonly waitSeconds: number;
}

/** Limits, with the reason for each. */
const limits = {
  leftOutPercent: 0,
  interrupts: 0,
  failedFaults: 0,
  changes: 0,
  exceptions: 0,
  unsent: 0,
  emptyRuns: 0,
  /** Past it the generator measures its own queue. */
  generatorCpuPercent: 90,
  /** Latencies below it are what a run reports; the loop must not add more. */
  loopDelayP99Ms: 50,
  /** A loop that is busy without using CPU waits for something: the same queue. */
  loopBusyPercent: 90,
  /** More late starts than this bend the offered load. */
  lateStartsPercent: 1,
  /** A start that never came is load that was never offered. */
  droppedStarts: 0,
  /** The rest of the machine must be ours to measure. */
  foreignCpuPercent: 10,
  /** N, X, R and Z are measured apart from each other: if they disagree, one of them is wrong. */
  littlePercent: 5,
} as const;

/**
 * Share of the seconds in which the generator must have had CPU to spare: one full garbage
 * collection is no saturation.
 */
const sparedSecondsPercent = 95;

/** Names of the rules that have a remedy. */
const rules = {
  unsent: 'requests without a port or descriptor here',
  generatorCpu: `generator CPU in ${sparedSecondsPercent} % of the seconds, % of a core`,
  loopDelay: 'event-loop delay p99, ms',
  loopBusy: 'event loop busy, % of the time',
  lateStarts: 'late starts, %',
  droppedStarts: 'dropped starts',
  foreignCpu: 'CPU of others and steal, % of the machine',
} as const;

const relieveGenerator = 'share the load with --processes, use fewer users, or run the lab on another machine';

const remedies: Readonly<Record<string, string>> = {
  [rules.unsent]: 'use fewer users, or allow this machine more open files and ports (ulimit -n, --source-addresses)',
  [rules.generatorCpu]: relieveGenerator,
  [rules.loopDelay]: relieveGenerator,
  [rules.loopBusy]: relieveGenerator,
  [rules.lateStarts]: relieveGenerator,
  [rules.droppedStarts]: 'use more users, or a lower rate',
  [rules.foreignCpu]:
    'close other programs, or use another machine; if they work for the target, name them with --also-count',
};

/** What to do about a broken rule; `undefined`: only another run can help. */
export const remedyOf = (rule: string): string | undefined => remedies[rule];

/**
 * The value that `percent` per cent of the values do not exceed; `undefined` when there is none.
 */
const percentileOf = (values: readonly number[], percent: number): number | undefined =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil((percent / 100) * values.length) - 1)];

const check = (rule: string, limit: number, measured: number | undefined): ValidityCheck => ({
  rule,
  limit,
  measured: measured ?? null,
  verdict: measured === undefined ? 'not judged' : measured <= limit ? 'kept' : 'broken',
});

/** Deviation from Little's law, per cent. */
export const littleDeviationPercent = ({ users, tasksPerSecond, responseSeconds, waitSeconds }: LittleCheck): number =>
  (Math.abs(tasksPerSecond * (responseSeconds + waitSeconds) - users) / users) * 100;

/** Judges the conditions of a run. */
export const judgeValidity = (run: RunConditions): readonly ValidityCheck[] => [
  check('duration left out, %', limits.leftOutPercent, run.leftOutPercent),
  ...(run.isInterrupted ? [check('interrupts', limits.interrupts, 1)] : []),
  check('planned faults that could not be done', limits.failedFaults, run.failedFaults),
  ...(run.changes === 0 ? [] : [check('changes of the users by hand', limits.changes, run.changes)]),
  check('windows without a request', limits.emptyRuns, run.requests === 0 ? 1 : 0),
  check(exceptionsRule, limits.exceptions, run.exceptions),
  ...(run.unsent === 0 ? [] : [check(rules.unsent, limits.unsent, run.unsent)]),
  check(rules.generatorCpu, limits.generatorCpuPercent, percentileOf(run.generatorCpuPercents, sparedSecondsPercent)),
  check(rules.loopDelay, limits.loopDelayP99Ms, run.loopDelayP99Ms),
  check(rules.loopBusy, limits.loopBusyPercent, run.loopBusyPercent),
  check(rules.lateStarts, limits.lateStartsPercent, run.tasks === 0 ? undefined : (100 * run.lateStarts) / run.tasks),
  ...(run.droppedStarts === undefined ? [] : [check(rules.droppedStarts, limits.droppedStarts, run.droppedStarts)]),
  check(rules.foreignCpu, limits.foreignCpuPercent, run.foreignCpuPercent),
  check("deviation from Little's law, %", limits.littlePercent, run.little && littleDeviationPercent(run.little)),
];
