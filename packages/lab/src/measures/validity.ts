/**
 * The validity certificate: may this run be believed? A saturated generator makes a run invalid, not slow.
 * @module
 */

/** What is known about how the run was made. */
export interface RunConditions {
  /** Generator CPU over the judged window, per cent of one core. */
  readonly generatorCpuPercent: number;
  /** Mean over the seconds of the 99th percentile of the loop's delay, milliseconds. */
  readonly loopDelayP99Ms: number;
  readonly tasks: number;
  readonly lateStarts: number;
  /** CPU time of neither generator nor target, steal included, per cent of the machine; `undefined` when it cannot be told. */
  readonly foreignCpuPercent: number | undefined;
  /** Little's law over the steady window; `undefined` when the window is missing or short. */
  readonly little: LittleCheck | undefined;
}

/** Users by Little's law (N = X · (R + Z)) beside users there were. */
export interface LittleCheck {
  readonly users: number;
  readonly requestsPerSecond: number;
  readonly responseSeconds: number;
  readonly waitSeconds: number;
}

/** One rule, judged. */
export interface ValidityCheck {
  readonly rule: string;
  readonly limit: number;
  readonly measured: number | null;
  readonly verdict: 'kept' | 'broken' | 'not judged';
}

/** Limits, with the reason for each. */
const limits = {
  /** Past it the generator measures its own queue. */
  generatorCpuPercent: 90,
  /** Latencies below it are what a run reports; the loop must not add more. */
  loopDelayP99Ms: 50,
  /** More late starts than this bend the offered load. */
  lateStartsPercent: 1,
  /** The rest of the machine must be ours to measure. */
  foreignCpuPercent: 10,
  /** N, X, R and Z are measured apart from each other: if they disagree, one of them is wrong. */
  littlePercent: 5,
} as const;

const check = (rule: string, limit: number, measured: number | undefined): ValidityCheck => ({
  rule,
  limit,
  measured: measured ?? null,
  verdict: measured === undefined ? 'not judged' : measured <= limit ? 'kept' : 'broken',
});

/** Deviation from Little's law, per cent. */
export const littleDeviationPercent = ({
  users,
  requestsPerSecond,
  responseSeconds,
  waitSeconds,
}: LittleCheck): number => (Math.abs(requestsPerSecond * (responseSeconds + waitSeconds) - users) / users) * 100;

/** Judges the conditions of a run. */
export const judgeValidity = (run: RunConditions): readonly ValidityCheck[] => [
  check('generator CPU, % of a core', limits.generatorCpuPercent, run.generatorCpuPercent),
  check('event-loop delay p99, ms', limits.loopDelayP99Ms, run.loopDelayP99Ms),
  check('late starts, %', limits.lateStartsPercent, run.tasks === 0 ? undefined : (100 * run.lateStarts) / run.tasks),
  check('CPU of others and steal, % of the machine', limits.foreignCpuPercent, run.foreignCpuPercent),
  check("deviation from Little's law, %", limits.littlePercent, run.little && littleDeviationPercent(run.little)),
];
