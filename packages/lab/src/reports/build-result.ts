/**
 * From what was measured to the result: windows, verdicts, validity, exit code.
 * @module
 */
import type { Crowd } from '../arrivals/closed-users.ts';
import type { RunOptions } from '../commands/run-options.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import { judgeWindow, outcomesOf, type Verdict } from '../measures/criteria.ts';
import type { EndpointMeasure, Recorder, Window } from '../measures/recorder.ts';
import { percentilesOf } from '../measures/sampler.ts';
import { judgeValidity, type LittleCheck, type ValidityCheck } from '../measures/validity.ts';
import { type CpuTimes, describeMachine } from '../probes/machine.ts';
import type { TargetUsage } from '../probes/target-process.ts';
import type { EndpointResult, HistoryRow, RunResult, SecondResult, WindowResult } from './result.ts';

/** Readings at one moment. */
export interface Reading {
  readonly cpu: NodeJS.CpuUsage;
  readonly machine: CpuTimes | undefined;
  readonly target: TargetUsage | undefined;
  readonly atMs: number;
}

/** Everything a run has gathered. */
export interface Gathered {
  readonly scenario: string;
  readonly options: RunOptions;
  readonly weights: Readonly<Record<string, number>>;
  readonly fingerprint: string;
  readonly accounts: { readonly kind: 'imported' | 'registered'; readonly reason?: string };
  readonly startedAt: Date;
  readonly startedAtMs: number;
  readonly stoppedAtMs: number;
  readonly steadyFromMs: number | undefined;
  readonly steadySecond: number;
  readonly isInterrupted: boolean;
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
  readonly crowd: Crowd;
  readonly cutRequests: number;
  readonly connects: number;
  readonly targetPid: number | undefined;
  readonly before: Reading;
  /** Its `cpu` is counted from the first reading. */
  readonly after: Reading;
  readonly seconds: readonly SecondResult[];
  readonly history: readonly HistoryRow[];
}

/** Shortest steady window over which Little's law is asked to hold, seconds. */
const littleSecondsMin = 20;

const endpointResult = (measure: EndpointMeasure, seconds: number): EndpointResult => {
  const { method, name, latency, ok, expected, real, bytes } = measure;
  const requests = ok + expected + real;
  return {
    method,
    name,
    requests,
    ok,
    expected,
    real,
    requests_per_second: requests / seconds,
    mean_ms: latency.meanMs,
    min_ms: latency.minMs,
    max_ms: latency.maxMs,
    mean_bytes: requests === 0 ? 0 : bytes / requests,
    percentiles_ms: percentilesOf(latency),
  };
};

const windowResult = (window: Window, fromSeconds: number, toSeconds: number): WindowResult => {
  const seconds = Math.max(0.001, toSeconds - fromSeconds);
  const endpoints = [...window.endpoints.values()];
  const { ok, expected, real, all } = outcomesOf(window);
  const bytes = endpoints.reduce((sum, endpoint) => sum + endpoint.bytes, 0);
  const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);
  return {
    from_s: fromSeconds,
    to_s: toSeconds,
    total: endpointResult(
      { method: '', name: 'Aggregated', latency: window.total, ok, expected, real, bytes },
      seconds,
    ),
    endpoints: endpoints.map((endpoint) => endpointResult(endpoint, seconds)),
    success_percent_with_expected: percent(ok + expected, all),
    success_percent_without_expected: percent(ok, ok + real),
  };
};

/** CPU time that neither generator nor target has spent, steal included, per cent of the machine. */
const foreignCpuPercent = ({ before, after }: Gathered, cores: number): number | undefined => {
  if (before.machine === undefined || after.machine === undefined) return undefined;
  if (before.target === undefined || after.target === undefined) return undefined;
  const own = (after.cpu.user + after.cpu.system) / 1e6;
  const target = after.target.cpuSeconds - before.target.cpuSeconds;
  const busy = after.machine.busy - before.machine.busy;
  const steal = after.machine.steal - before.machine.steal;
  const elapsed = (after.atMs - before.atMs) / 1000;
  return (Math.max(0, busy - own - target + steal) / (elapsed * cores)) * 100;
};

const littleCheck = (gathered: Gathered, steady: WindowResult | null): LittleCheck | undefined => {
  if (steady === null || steady.to_s - steady.from_s < littleSecondsMin) return undefined;
  const [shortest, longest] = gathered.options.waitSeconds;
  return {
    users: gathered.crowd.started,
    requestsPerSecond: steady.total.requests_per_second,
    responseSeconds: steady.total.mean_ms / 1000,
    waitSeconds: (shortest + longest) / 2,
  };
};

/** The worst thing that can be said of a run is what it ends with. */
const exitCodeOf = (
  violations: number,
  isUnreachable: boolean,
  validity: readonly ValidityCheck[],
  verdicts: readonly Verdict[],
): number => {
  if (violations > 0) return 4;
  if (isUnreachable) return 5;
  if (validity.some(({ verdict }) => verdict === 'broken')) return 3;
  return verdicts.some(({ verdict }) => verdict === 'failed') ? 2 : 0;
};

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

/** Builds the result. */
export const buildResult = (gathered: Gathered): RunResult => {
  const { options, recorder, checker, crowd, before, after, seconds } = gathered;
  const machine = describeMachine();
  const endSeconds = (gathered.stoppedAtMs - gathered.startedAtMs) / 1000;
  const whole = windowResult(recorder.whole, 0, endSeconds);
  const steady =
    recorder.steady === undefined || gathered.steadyFromMs === undefined
      ? null
      : windowResult(recorder.steady, (gathered.steadyFromMs - gathered.startedAtMs) / 1000, endSeconds);
  const logouts = { completed: recorder.completedLogouts, pending: recorder.pendingLogouts };
  const verdicts = judgeWindow(recorder.steady ?? recorder.whole, options.criteria, logouts);
  const judgedSeconds = seconds.slice(steady === null ? 0 : gathered.steadySecond);
  const little = littleCheck(gathered, steady);
  const validity = judgeValidity({
    generatorCpuPercent: mean(judgedSeconds.map((second) => second.generator_cpu_percent)),
    loopDelayP99Ms: mean(judgedSeconds.map((second) => second.loop_delay_p99_ms)),
    tasks: crowd.tasks,
    lateStarts: crowd.lateStarts,
    foreignCpuPercent: foreignCpuPercent(gathered, machine.cores),
    little,
  });
  const generatorCpu = (after.cpu.user + after.cpu.system) / 1e6;
  const requests = Math.max(1, whole.total.requests);
  // No request was ever answered: the target was there at the start and is gone.
  const isUnreachable = whole.total.ok + whole.total.expected === 0 && whole.total.real > 0;
  return {
    format: 'catalytic-lab/1',
    scenario: gathered.scenario,
    started_at: gathered.startedAt.toISOString(),
    target: options.target,
    options: {
      users: options.users,
      spawn_rate: options.spawnRate,
      duration_s: options.durationSeconds,
      seed: options.seed,
      wait_s: options.waitSeconds,
      weights: gathered.weights,
    },
    schedule_fingerprint: gathered.fingerprint,
    accounts: {
      kind: gathered.accounts.kind,
      ...(gathered.accounts.reason === undefined ? {} : { reason: gathered.accounts.reason }),
    },
    machine,
    ended: isUnreachable ? 'unreachable' : gathered.isInterrupted ? 'interrupted' : 'completed',
    whole,
    steady,
    errors: [...recorder.errors.values()]
      .sort((a, b) => b.occurrences - a.occurrences)
      .map(({ kind, method, endpoint, error, occurrences, firstSeen, lastSeen }) => ({
        kind,
        method,
        endpoint,
        error,
        occurrences,
        first_seen_unix_s: firstSeen,
        last_seen_unix_s: lastSeen,
      })),
    logouts,
    consistency: {
      revoked_tokens: checker.revokedTokens,
      dead_checks: checker.deadChecks,
      violations: checker.violationCount,
      timelines: checker.violations.map(({ token, rule, timeline }) => ({ token, rule, events: timeline })),
    },
    criteria: options.criteria,
    judged: recorder.steady === undefined ? 'whole' : 'steady',
    verdicts,
    validity,
    little: little ?? null,
    generator: {
      cpu_seconds: generatorCpu,
      cpu_us_per_request: (generatorCpu * 1e6) / requests,
      rss_mb_max: process.resourceUsage().maxRSS / 1024,
      connections_opened: gathered.connects,
      users_started: crowd.started,
      cut_requests: gathered.cutRequests,
    },
    target_process:
      gathered.targetPid === undefined || before.target === undefined || after.target === undefined
        ? null
        : {
            pid: gathered.targetPid,
            cpu_seconds: after.target.cpuSeconds - before.target.cpuSeconds,
            cpu_us_per_request: ((after.target.cpuSeconds - before.target.cpuSeconds) * 1e6) / requests,
            rss_mb_start: before.target.rssMb,
            rss_mb_end: after.target.rssMb,
          },
    exit_code: exitCodeOf(checker.violationCount, isUnreachable, validity, verdicts),
    seconds,
    history: gathered.history,
  };
};
