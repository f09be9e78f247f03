/**
 * From the measurements to the result: windows, verdicts, validity, exit code.
 * @module
 */
import manifest from '../../package.json' with { type: 'json' };
import { outcomesOf } from '../measures/criteria.ts';
import { type AskedCriterion, measures } from '../measures/criterion.ts';
import { judgeCriteria } from '../measures/judge-criteria.ts';
import { unixSecondsAt } from '../measures/sampler.ts';
import type { LittleCheck } from '../measures/validity.ts';
import { describeMachine, type Machine } from '../probes/machine.ts';
import { exitCodes, type RunResult, type SecondResult, worstExitCode } from '../results/result.ts';
import type { ValidityCheck, Verdict } from '../results/verdict.ts';
import { isoTime } from '../texts/iso-time.ts';
import { buildConsistency } from './build-consistency.ts';
import { buildCustom } from './build-custom.ts';
import { buildGuards } from './build-guards.ts';
import { buildOutage, outageVerdicts } from './build-outage.ts';
import { buildRevocation } from './build-revocation.ts';
import { buildTransport } from './build-transport.ts';
import { buildWindow } from './build-window.ts';
import type { Gathered } from './gathered.ts';
import { checkLittle, cpuSecondsOf, judgeConditions } from './judge-conditions.ts';

/** Version of the lab, as its package says. */
const labVersion: string = manifest.version;

/** A steady window of this many seconds, or of half the run, speaks for the run. */
const steadySecondsEnough = 10;

/**
 * Whether the steady window speaks for a run.
 * @param fromSeconds when it began
 * @param endSeconds length of the run
 */
export const isSteadyLongEnough = (fromSeconds: number, endSeconds: number): boolean =>
  endSeconds - fromSeconds >= Math.min(steadySecondsEnough, endSeconds / 2);

/**
 * The exit code is the worst verdict of the run. The run has passed when there was a criterion, and
 * every one was judged and met.
 */
export const exitCodeOf = (
  violations: number,
  isUnreachable: boolean,
  validity: readonly ValidityCheck[],
  verdicts: readonly Verdict[],
): number => {
  const isSaid = (word: Verdict['verdict']): boolean => verdicts.some(({ verdict }) => verdict === word);
  const said: readonly (readonly [boolean, number])[] = [
    [violations > 0, exitCodes.violated],
    [isUnreachable, exitCodes.unreachable],
    [validity.some(({ verdict }) => verdict === 'broken'), exitCodes.invalid],
    [isSaid('failed'), exitCodes.criterionFailed],
    [verdicts.length === 0 || isSaid('not judged'), exitCodes.notJudged],
  ];
  return worstExitCode(said.filter(([isSo]) => isSo).map(([, code]) => code));
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

/** `realFailuresPercentMax` is `real_failures_percent` in the result. */
const resultKeyOf = (measure: string): string =>
  (measures.run[measure]?.key ?? measure).replace(/Max$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const criteriaOf = (criteria: readonly AskedCriterion[]): RunResult['criteria'] => {
  const single = criteria.filter(({ of }) => of !== 'run');
  const whole = criteria.filter(({ of }) => of === 'run').map(({ measure, limit }) => [resultKeyOf(measure), limit]);
  return { ...Object.fromEntries(whole), ...(single.length === 0 ? {} : { single }) };
};

const alsoCountedOf = ({ options, before, after }: Gathered): RunResult['also_counted'] =>
  options.alsoCount.map((pid, index) => {
    const [from, to] = [before.counted[index], after.counted[index]];
    return { pid, cpu_seconds: from === undefined || to === undefined ? null : to.cpuSeconds - from.cpuSeconds };
  });

/** 0 where there was no request: a figure that is none could not be written. */
const usPerRequest = (cpuSeconds: number, requests: number): number =>
  requests === 0 ? 0 : (cpuSeconds * 1e6) / requests;

/** Not by spreading: a run of two days has more seconds than a call takes arguments. */
const largestOf = (seconds: Gathered['seconds'], of: (second: SecondResult) => number): number =>
  seconds.reduce((largest, second) => Math.max(largest, of(second)), 0);

const generatorOf = (gathered: Gathered, requests: number): RunResult['generator'] => {
  const { crowd, seconds } = gathered;
  const { connects, reconnects, cutRequests } = crowd;
  const cpuSeconds = cpuSecondsOf(gathered);
  return {
    cpu_seconds: cpuSeconds,
    cpu_us_per_request: usPerRequest(cpuSeconds, requests),
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
    cpu_us_per_request: usPerRequest(cpuSeconds, requests),
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
  const isAborted = gathered.abortedBy !== undefined;
  // The steady window has aborted the run, so that window is judged, however short it is.
  const isSteadyEnough = steady !== null && (isAborted || isSteadyLongEnough(steady.from_s, endSeconds));
  const judged = isSteadyEnough ? 'steady' : 'whole';
  const window = judged === 'steady' ? (recorder.steady ?? wholeWindow) : wholeWindow;
  const logouts = gathered.faults.length === 0 ? window.logouts : undefined;
  const outage = buildOutage(gathered);
  const rejection = workerNames && revocation.rejection;
  const verdicts = [
    ...judgeCriteria(options.criteria, { window, custom: gathered.custom, seconds: endSeconds, rejection, logouts }),
    ...outageVerdicts(outage),
  ];
  const guards = buildGuards(gathered);
  const little = checkLittle(gathered, steady);
  const validity = judgeConditions(gathered, judged, outcomesOf(window).all, machine.cores, little);
  const { requests } = whole.total;
  // Not one answer to any request: the target was there at the start and is gone.
  const isUnreachable = whole.total.requests > 0 && wholeWindow.unanswered === whole.total.requests;
  return {
    format: 'catalytic-lab/1',
    lab_version: labVersion,
    scenario: gathered.scenario,
    started_at: isoTime(gathered.start.unixMs),
    target: options.target,
    options: optionsOf(gathered),
    schedule_fingerprint: gathered.fingerprint,
    accounts: { kind: accounts.kind, ...(accounts.reason === undefined ? {} : { reason: accounts.reason }) },
    machine: machineOf(machine),
    ended: isUnreachable ? 'unreachable' : isInterrupted ? 'interrupted' : isAborted ? 'aborted' : 'completed',
    ...(gathered.abortedBy === undefined ? {} : { aborted_by: gathered.abortedBy }),
    whole,
    steady,
    errors: errorsOf(gathered),
    exceptions: gathered.crowd.exceptions.map(({ count, message, place, traceback }) => ({
      count,
      message,
      place,
      traceback,
    })),
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
    own: buildCustom(gathered.custom),
    revocation: buildRevocation(gathered),
    ...(guards === undefined ? {} : { guards }),
    transport: buildTransport(gathered),
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
    ...(options.baseline === undefined ? {} : { baseline: options.baseline }),
    exit_code: exitCodeOf(checker.violationCount, isUnreachable, validity, verdicts),
    seconds: gathered.seconds,
    history: gathered.history,
  };
};
