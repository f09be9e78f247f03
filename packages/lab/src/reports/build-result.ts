/**
 * From what was gathered to the result: windows, verdicts, validity, exit code.
 * @module
 */
import manifest from '../../package.json' with { type: 'json' };
import { type Criteria, judgeWindow, outcomesOf, type Verdict } from '../measures/criteria.ts';
import { unixSecondsAt } from '../measures/sampler.ts';
import type { LittleCheck, ValidityCheck } from '../measures/validity.ts';
import { describeMachine, type Machine } from '../probes/machine.ts';
import { buildConsistency } from './build-consistency.ts';
import { buildOutage, outageVerdicts } from './build-outage.ts';
import { buildOwn } from './build-own.ts';
import { buildRevocation } from './build-revocation.ts';
import { buildWindow } from './build-window.ts';
import type { Gathered } from './gathered.ts';
import { checkLittle, cpuSecondsOf, judgeConditions } from './judge-conditions.ts';
import { exitCodes, type RunResult, type SecondResult } from './result.ts';

/** Version of the lab, as its package says. */
const labVersion: string = manifest.version;

/** A steady window of so many seconds, or of half the run, speaks for the run. */
const steadySecondsEnough = 10;

/** The worst thing that can be said of a run is what it ends with. */
export const exitCodeOf = (
  violations: number,
  isUnreachable: boolean,
  validity: readonly ValidityCheck[],
  verdicts: readonly Verdict[],
): number => {
  if (violations > 0) return exitCodes.violated;
  if (isUnreachable) return exitCodes.unreachable;
  if (validity.some(({ verdict }) => verdict === 'broken')) return exitCodes.invalid;
  return verdicts.some(({ verdict }) => verdict === 'failed') ? exitCodes.criterionFailed : exitCodes.passed;
};

const errorsOf = ({ recorder, start }: Gathered): RunResult['errors'] =>
  recorder.errors.all.map(({ kind, method, endpoint, error, occurrences, firstSeenMs, lastSeenMs }) => ({
    kind,
    method,
    endpoint,
    error,
    occurrences,
    first_seen_unix_s: unixSecondsAt(start, firstSeenMs),
    last_seen_unix_s: unixSecondsAt(start, lastSeenMs),
  }));

const machineOf = ({ cores, cpu, memoryGib, platform, node }: Machine): RunResult['machine'] => ({
  cores,
  cpu,
  memory_gib: memoryGib,
  platform,
  node,
});

const littleOf = ({ users, tasksPerSecond, responseSeconds, waitSeconds }: LittleCheck): RunResult['little'] => ({
  users,
  tasks_per_second: tasksPerSecond,
  response_s: responseSeconds,
  wait_s: waitSeconds,
});

const optionsOf = ({ options, weights }: Gathered): RunResult['options'] => ({
  users: options.users,
  spawn_rate: options.spawnRate,
  duration_s: options.durationSeconds,
  seed: options.seed,
  wait_s: options.waitSeconds,
  timeout_s: options.timeoutSeconds,
  weights,
  logouts_per_second: options.logoutsPerSecond ?? null,
  rate_per_second: options.rate ?? null,
  arrivals: options.arrivals,
  stages: options.stages.map(({ durationSeconds, users, spawnRate, rate }) => ({
    duration_s: durationSeconds,
    users: users ?? null,
    spawn_rate: spawnRate ?? null,
    rate_per_second: rate ?? null,
  })),
  is_paced: options.isPaced,
  processes: options.processes,
  source_addresses: options.sourceAddresses?.text ?? null,
});

const criteriaOf = (criteria: Criteria): RunResult['criteria'] => {
  const named = {
    p50_ms: criteria.p50MsMax,
    p95_ms: criteria.p95MsMax,
    p99_ms: criteria.p99MsMax,
    real_failures_percent: criteria.realFailuresPercentMax,
    endpoint_failures_percent: criteria.endpointFailuresPercentMax,
    rejected_ms: criteria.rejectedMsMax,
  };
  return Object.fromEntries(Object.entries(named).filter(([, limit]) => limit !== undefined));
};

const alsoCountedOf = ({ options, before, after }: Gathered): RunResult['also_counted'] =>
  options.alsoCount.map((pid, index) => {
    const [from, to] = [before.counted[index], after.counted[index]];
    return { pid, cpu_seconds: from === undefined || to === undefined ? null : to.cpuSeconds - from.cpuSeconds };
  });

/** Not by spreading: a run of two days has more seconds than a call takes arguments. */
const largestOf = (seconds: Gathered['seconds'], of: (second: SecondResult) => number): number =>
  seconds.reduce((largest, second) => Math.max(largest, of(second)), 0);

const generatorOf = (gathered: Gathered, requests: number): RunResult['generator'] => {
  const { crowd, seconds } = gathered;
  const { connects, reconnects, cutRequests } = crowd;
  const cpuSeconds = cpuSecondsOf(gathered);
  return {
    cpu_seconds: cpuSeconds,
    cpu_us_per_request: (cpuSeconds * 1e6) / requests,
    rss_mb_max: largestOf(seconds, (second) => second.generator_rss_mb),
    connections_opened: connects,
    reconnects,
    users_started: crowd.started,
    cut_requests: cutRequests,
  };
};

const targetOf = ({ targetPid, before, after, seconds }: Gathered, requests: number): RunResult['target_process'] => {
  if (targetPid === undefined || before.target === undefined || after.target === undefined) return null;
  const cpuSeconds = after.target.cpuSeconds - before.target.cpuSeconds;
  return {
    pid: targetPid,
    cpu_seconds: cpuSeconds,
    cpu_us_per_request: (cpuSeconds * 1e6) / requests,
    rss_mb_start: before.target.rssMb,
    rss_mb_end: after.target.rssMb,
    rss_mb_max: Math.max(
      before.target.rssMb,
      after.target.rssMb,
      largestOf(seconds, (second) => second.target_rss_mb ?? 0),
    ),
  };
};

const serverOf = ({ scraped }: Gathered): RunResult['server'] =>
  scraped === undefined
    ? null
    : {
        url: scraped.url,
        not_measured: scraped.reason ?? null,
        every_s: scraped.everySeconds,
        missed: scraped.missed,
        t_s: scraped.atSeconds,
        series: scraped.series,
      };

/** Builds the result. */
export const buildResult = (gathered: Gathered): RunResult => {
  const { options, recorder, checker, before, accounts, isInterrupted, revocation, workerNames } = gathered;
  const machine = describeMachine();
  const endSeconds = (gathered.stoppedAtMs - before.atMs) / 1000;
  const { whole: wholeWindow } = recorder;
  const whole = buildWindow(wholeWindow, 0, endSeconds);
  const steady =
    recorder.steady === undefined || gathered.steady === undefined
      ? null
      : buildWindow(recorder.steady, (gathered.steady.atMs - before.atMs) / 1000, endSeconds);
  const isSteadyEnough = steady !== null && endSeconds - steady.from_s >= Math.min(steadySecondsEnough, endSeconds / 2);
  const judged = isSteadyEnough ? 'steady' : 'whole';
  const window = judged === 'steady' ? (recorder.steady ?? wholeWindow) : wholeWindow;
  const logouts = gathered.faults.length === 0 ? window.logouts : undefined;
  const outage = buildOutage(gathered);
  const verdicts = [
    ...judgeWindow(window, options.criteria, logouts, workerNames && revocation.rejection),
    ...outageVerdicts(outage),
  ];
  const little = checkLittle(gathered, steady);
  const validity = judgeConditions(gathered, judged, outcomesOf(window).all, machine.cores, little);
  const requests = Math.max(1, whole.total.requests);
  // Not one answer to any request: the target was there at the start and is gone.
  const isUnreachable = whole.total.requests > 0 && wholeWindow.unanswered === whole.total.requests;
  return {
    format: 'catalytic-lab/1',
    lab_version: labVersion,
    scenario: gathered.scenario,
    started_at: new Date(gathered.start.unixMs).toISOString(),
    target: options.target,
    options: optionsOf(gathered),
    schedule_fingerprint: gathered.fingerprint,
    accounts: { kind: accounts.kind, ...(accounts.reason === undefined ? {} : { reason: accounts.reason }) },
    machine: machineOf(machine),
    ended: isUnreachable ? 'unreachable' : isInterrupted ? 'interrupted' : 'completed',
    whole,
    steady,
    errors: errorsOf(gathered),
    exceptions: gathered.crowd.exceptions.map(({ count, message, traceback }) => ({ count, message, traceback })),
    logouts: wholeWindow.logouts,
    faults: gathered.faults.map(({ name, fault, plannedSeconds, actualSeconds, doneSeconds, error }) => ({
      name,
      fault,
      planned_s: plannedSeconds,
      actual_s: actualSeconds ?? null,
      done_s: doneSeconds ?? null,
      error: error ?? null,
    })),
    consistency: buildConsistency(checker),
    own: buildOwn(gathered.own),
    revocation: buildRevocation(gathered),
    outage,
    criteria: criteriaOf(options.criteria),
    judged,
    verdicts,
    validity,
    little: little === undefined ? null : littleOf(little),
    generator: generatorOf(gathered, requests),
    target_process: targetOf(gathered, requests),
    also_counted: alsoCountedOf(gathered),
    server: serverOf(gathered),
    counted: options.count,
    exit_code: exitCodeOf(checker.violationCount, isUnreachable, validity, verdicts),
    seconds: gathered.seconds,
    history: gathered.history,
  };
};
