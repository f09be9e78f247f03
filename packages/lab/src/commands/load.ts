/**
 * The measured part of a run: users come, act and go, while everything is read once a second.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { endProcess } from '../containment/at-exit.ts';
import { whenBlocked } from '../containment/watchdog.ts';
import type { FaultTimeline } from '../faults/timeline.ts';
import type { Load } from '../generators/load.ts';
import { fingerprintOf } from '../generators/local-load.ts';
import type { Dashboard } from '../live/dashboard.ts';
import { OutageMeasure } from '../measures/outage-measure.ts';
import { RevocationMeasure } from '../measures/revocation.ts';
import { type RunStart, Sampler } from '../measures/sampler.ts';
import { readCpuTimes } from '../probes/machine.ts';
import { MetricsScraper } from '../probes/metrics-scraper.ts';
import { findListener, TargetProcesses } from '../probes/target-process.ts';
import { buildResult } from '../reports/build-result.ts';
import type { Reading, SteadyStart } from '../reports/gathered.ts';
import { exitCodes, type RunResult } from '../reports/result.ts';
import { usesAccounts, weightsOf } from '../scenarios/scenario.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { isOnThisMachine, portOf } from '../targets/origin.ts';
import { complain } from '../texts/say.ts';
import { watchToAbort } from './abort-watch.ts';
import { type RunOptions, trustOf } from './run-options.ts';

/** Longest wait for answers after the end, and after an interrupt, milliseconds. */
const drainMs = 10_000;
const interruptedDrainMs = 1000;
/** An interrupt ends the run within this time, milliseconds, and the steady window starts as late at most. */
const napMs = 50;
/** Time that several processes are given to start at one moment, milliseconds. */
const leadMs = 300;

/** Where the load of a run comes from. */
export interface LoadSource {
  /** Starts it. @param startMs the moment at which it should begin, on this process's monotonic clock */
  readonly start: (startMs: number, outage: OutageMeasure | undefined) => Load;
  readonly accounts: AccountSource;
  /** Workers to which connections are held now; `undefined` when the scenario does not ask them. */
  readonly workerNames: () => readonly string[] | undefined;
}

/** A run whose code was ended in the middle ends within this time, milliseconds. */
const blockedEndMsMax = 30_000;

/** What was ended in the middle may be what the end of the run waits for. */
const giveUp = (): void => {
  complain('Cannot end the run: code of the scenario did not give way and was ended; what was measured is lost');
  endProcess(exitCodes.invalid);
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Where the requests end: behind the lab's own proxies, when they are sent to one of them. */
const originBehind = ({ target, faults }: RunOptions): string => {
  let origin = target;
  // Each proxy leads on at most once: two that lead to each other lead nowhere.
  for (const _ of faults.proxies) {
    const port = portOf(origin);
    const proxy = [...faults.proxies.values()].find(({ listenPort }) => listenPort === port);
    if (proxy === undefined || !isOnThisMachine(origin)) break;
    const { targetHost, targetPort } = proxy;
    origin = `http://${targetHost.includes(':') ? `[${targetHost}]` : targetHost}:${targetPort}`;
  }
  return origin;
};

const findTarget = (origin: string, { targetPid }: RunOptions): TargetProcesses | undefined => {
  const pid = targetPid ?? (isOnThisMachine(origin) ? findListener(portOf(origin)) : undefined);
  return pid === undefined ? undefined : new TargetProcesses(pid);
};

/** Where the target's metrics are: as given, else at its operate address; `undefined` when they are left alone, as a foreign service's are. */
const metricsUrlOf = ({ metrics, operateTarget, target, scenario }: RunOptions): string | undefined => {
  if (metrics === false || (metrics === undefined && !usesAccounts(scenario))) return undefined;
  return metrics ?? `${operateTarget ?? target}${paths.metrics}`;
};

/** Waits for the answers still under way; an interrupt shortens the wait. */
const drain = async (ended: Promise<void>, interrupted: AbortSignal): Promise<void> => {
  let isOver = false;
  const over = ended.then(() => {
    isOver = true;
  });
  const startMs = performance.now();
  while (!isOver && performance.now() - startMs < (interrupted.aborted ? interruptedDrainMs : drainMs))
    await Promise.race([over, sleep(napMs)]);
};

/**
 * Loads the target.
 * @param faults what happens meanwhile; undone at the end, before the last answers are waited for
 * @param asked ends the run early when it is aborted; what was measured so far is reported
 */
export const load = async (
  options: RunOptions,
  source: LoadSource,
  faults: FaultTimeline,
  dashboard: Dashboard,
  asked: AbortSignal,
): Promise<RunResult> => {
  const origin = originBehind(options);
  const target = findTarget(origin, options);
  const counted = options.alsoCount.map((pid) => new TargetProcesses(pid));
  const readOthers = (): Omit<Reading, 'cpu' | 'atMs'> => ({
    machine: readCpuTimes(),
    target: target?.read({ search: true }),
    counted: counted.map((processes) => processes.read({ search: true })),
  });
  // First, because it looks at every process of the machine: what comes after is to happen at the times that are noted.
  let others = readOthers();
  // Code that did not give way was ended in the middle: users are lost, and the next one may do the same.
  const blocked = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  const stopListening = whenBlocked(() => {
    blocked.abort();
    deadline ??= setTimeout(giveUp, blockedEndMsMax);
  });
  const interrupted = AbortSignal.any([asked, blocked.signal]);
  const startMs = performance.now() + (options.processes > 1 ? leadMs : 0);
  const outage = options.outage && new OutageMeasure(options.outage, startMs);
  const running = source.start(startMs, outage);
  const read = async (): Promise<Reading> => ({
    cpu: await running.cpu(),
    ...readOthers(),
    atMs: performance.now(),
  });
  const isLater = startMs > performance.now();
  if (isLater) await sleep(startMs - performance.now());
  // Both clocks at one moment: from here on only the monotonic one is asked.
  const start: RunStart = { atMs: startMs, unixMs: Date.now() - (performance.now() - startMs) };
  faults.start({
    say: (line) => dashboard.say(line),
    began: (index, atMs) => outage?.began(index, atMs),
    ended: (index, atMs, isDone) => outage?.ended(index, atMs, isDone),
  });
  if (isLater) others = readOthers();
  const before: Reading = { ...others, cpu: await running.cpu(), atMs: startMs };
  const metricsUrl = metricsUrlOf(options);
  const scraper =
    metricsUrl === undefined ? undefined : new MetricsScraper(metricsUrl, options.durationSeconds, trustOf(options));
  scraper?.start(before.atMs);
  const sampler = new Sampler(target, start);
  let changes = 0;
  dashboard.start({
    scale: (factor) => {
      changes += 1;
      running.scale(factor);
    },
  });
  let steady: SteadyStart | undefined;
  const startSteady = async (): Promise<void> => {
    const [mark, reading] = [await running.becomeSteady(), await read()];
    steady = { ...mark, reading, second: sampler.seconds.length };
  };

  const endMs = startMs + options.durationSeconds * 1000;
  const watch = watchToAbort(options);
  let abortedBy: string | undefined;
  while (performance.now() < endMs && !interrupted.aborted && abortedBy === undefined) {
    const nextMs = Math.min(endMs, startMs + (sampler.seconds.length + 1) * 1000);
    while (performance.now() < nextMs && !interrupted.aborted) {
      await sleep(Math.min(napMs, Math.max(1, nextMs - performance.now())));
      if (steady === undefined && running.isReady) await startSteady();
    }
    dashboard.show(sampler.take(await running.turnSecond()), steady !== undefined, sampler);
    const { steady: window } = running.recorder;
    if (steady === undefined || window === undefined) continue;
    const progress = { window, own: running.own, rejection: running.revocation?.rejection };
    abortedBy = watch?.look(progress, (performance.now() - startMs) / 1000, (steady.atMs - startMs) / 1000);
  }
  running.stop();
  const stoppedAtMs = performance.now();
  outage?.stop(stoppedAtMs);
  faults.undo();
  const scraped = scraper?.stop(before.atMs, { isHurried: interrupted.aborted });
  await drain(running.ended, interrupted);
  const isInterrupted = interrupted.aborted;
  const after = await read();
  const workerNames = source.workerNames();
  const crowd = await running.finish(isInterrupted);
  // Answers that came after the end are in every total: so they are in a second, too.
  const rest = await running.turnSecond();
  if (rest.requests.requests > 0) sampler.take(rest, true);
  dashboard.end();
  stopListening();
  clearTimeout(deadline);
  const { scenario } = options;
  return buildResult({
    scenario: scenario.name,
    options,
    weights: weightsOf(scenario),
    fingerprint: fingerprintOf(options),
    accounts: source.accounts,
    start,
    stoppedAtMs,
    steady,
    isInterrupted,
    abortedBy,
    recorder: running.recorder,
    checker: running.checker,
    own: scenario.own === undefined ? undefined : running.own,
    transport: running.transport,
    revocation: running.revocation ?? new RevocationMeasure(),
    outage,
    workerNames,
    faults: faults.events,
    crowd,
    changes,
    targetPid: target?.root,
    isTargetRemote: !isOnThisMachine(origin),
    before,
    after,
    scraped: await scraped,
    seconds: sampler.seconds,
    history: sampler.history,
  });
};
