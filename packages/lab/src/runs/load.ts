/**
 * The measured part of a run: users come, act and go, while everything is read once a second.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import { endProcess } from '../containment/at-exit.ts';
import { whenBlocked } from '../containment/watchdog.ts';
import type { FaultTimeline } from '../faults/timeline.ts';
import type { Load } from '../generators/load.ts';
import { fingerprintOf } from '../generators/load-plan.ts';
import type { Dashboard } from '../live/dashboard.ts';
import { OutageMeasure } from '../measures/outage-measure.ts';
import { RevocationMeasure } from '../measures/revocation.ts';
import { type RunStart, Sampler } from '../measures/sampler.ts';
import { type RunOptions, trustOf } from '../options/run-options.ts';
import { readCpuTimes } from '../probes/machine.ts';
import { MetricsScraper } from '../probes/metrics-scraper.ts';
import { findListener, TargetProcesses } from '../probes/target-process.ts';
import { buildResult } from '../reports/build-result.ts';
import type { Reading, SteadyStart } from '../reports/gathered.ts';
import { exitCodes, type RunResult } from '../results/result.ts';
import { usesAccounts, weightsOf } from '../scenarios/scenario.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { isOnThisMachine, portOf } from '../targets/origin.ts';
import { complain } from '../texts/say.ts';
import { watchToAbort } from './abort-watch.ts';

/** Longest wait for answers after the end, and after an interrupt, milliseconds. */
const drainMs = 10_000;
const interruptedDrainMs = 1000;
/**
 * An interrupt ends the run within this time, milliseconds, and the steady window starts as late at
 * most.
 */
const napMs = 50;
/** Time that several processes are given to start at one moment, milliseconds. */
const leadMs = 300;

/** Where the load of a run comes from. */
export interface LoadSource {
  /**
   * Starts it.
   * @param startMs the moment at which it should begin, on this process's monotonic clock
   */
  readonly start: (startMs: number, outage: OutageMeasure | undefined) => Load;
  readonly accounts: AccountSource;
  /** Workers to which connections are held now; `undefined` when the scenario does not ask them. */
  readonly workerNames: () => readonly string[] | undefined;
}

/** A run whose code was ended in the middle ends within this time, milliseconds. */
const blockedEndMsMax = 30_000;

/** Ends the process: the end of the run may wait for code that was ended in the middle. */
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

/**
 * Where the target's metrics are: as given, else at its operate address; `undefined` when they are
 * left alone, as a foreign service's are.
 */
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

/** Reads the CPU time of the machine, of the target and of the processes counted with it. */
type ReadOthers = () => Omit<Reading, 'cpu' | 'atMs'>;

const readerOf = (target: TargetProcesses | undefined, { alsoCount }: RunOptions): ReadOthers => {
  const counted = alsoCount.map((pid) => new TargetProcesses(pid));
  return () => ({
    machine: readCpuTimes(),
    target: target?.read({ search: true }),
    counted: counted.map((processes) => processes.read({ search: true })),
  });
};

/**
 * Ends a run in which code of the scenario did not give way and was ended: users are lost, and the
 * next one may do the same.
 */
const listenForBlocked = (): { readonly signal: AbortSignal; readonly close: () => void } => {
  const blocked = new AbortController();
  let deadline: NodeJS.Timeout | undefined;
  const stopListening = whenBlocked(() => {
    blocked.abort();
    deadline ??= setTimeout(giveUp, blockedEndMsMax);
  });
  const close = (): void => {
    stopListening();
    clearTimeout(deadline);
  };
  return { signal: blocked.signal, close };
};

/** A load that has begun, and the probes beside it. */
interface Underway {
  readonly options: RunOptions;
  readonly running: Load;
  readonly sampler: Sampler;
  readonly dashboard: Dashboard;
  /** Start of the run, on the monotonic clock. */
  readonly startMs: number;
  readonly read: () => Promise<Reading>;
  readonly interrupted: AbortSignal;
}

/** How the seconds of a run ended. */
interface Watched {
  readonly steady: SteadyStart | undefined;
  /** Name of the criterion that was beyond saving. */
  readonly abortedBy: string | undefined;
}

/** Takes second after second, until the run is over, interrupted, or beyond saving. */
const watchSeconds = async (underway: Underway): Promise<Watched> => {
  const { options, running, sampler, dashboard, startMs, read, interrupted } = underway;
  const endMs = startMs + options.durationSeconds * 1000;
  const watch = watchToAbort(options);
  let steady: SteadyStart | undefined;
  let abortedBy: string | undefined;
  const startSteady = async (): Promise<void> => {
    const [mark, reading] = [await running.becomeSteady(), await read()];
    steady = { ...mark, reading, second: sampler.seconds.length };
  };
  while (performance.now() < endMs && !interrupted.aborted && abortedBy === undefined) {
    const nextMs = Math.min(endMs, startMs + (sampler.seconds.length + 1) * 1000);
    while (performance.now() < nextMs && !interrupted.aborted) {
      await sleep(Math.min(napMs, Math.max(1, nextMs - performance.now())));
      if (steady === undefined && running.isReady) await startSteady();
    }
    dashboard.show(sampler.take(await running.turnSecond()), steady !== undefined, sampler);
    const { steady: window } = running.recorder;
    if (steady === undefined || window === undefined) continue;
    const progress = { window, custom: running.custom, rejection: running.revocation?.rejection };
    abortedBy = watch?.look(progress, (performance.now() - startMs) / 1000, (steady.atMs - startMs) / 1000);
  }
  return { steady, abortedBy };
};

/** The end of a load: waits for the last answers, and counts their outcomes. */
const endLoad = async ({ running, sampler, read, interrupted }: Underway, workerNames: LoadSource['workerNames']) => {
  await drain(running.ended, interrupted);
  const isInterrupted = interrupted.aborted;
  const after = await read();
  const names = workerNames();
  const crowd = await running.finish(isInterrupted);
  // Answers that came after the end are in every total: so they are in a second, too.
  const rest = await running.turnSecond();
  if (rest.requests.requests > 0) sampler.take(rest, true);
  return { isInterrupted, after, workerNames: names, crowd };
};

/** Starts to read the target's metrics, unless they are left alone. */
const startScraper = (options: RunOptions, startMs: number): MetricsScraper | undefined => {
  const url = metricsUrlOf(options);
  const scraper = url === undefined ? undefined : new MetricsScraper(url, options.durationSeconds, trustOf(options));
  scraper?.start(startMs);
  return scraper;
};

/**
 * Loads the target.
 * @param faults carried out meanwhile; undone at the end, before the wait for the last answers
 * @param asked ends the run early when it is aborted; the measurements so far are reported
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
  const readOthers = readerOf(target, options);
  // First, because it takes time to look at every process of the machine: all later steps must
  // happen at the recorded times.
  let others = readOthers();
  const blocked = listenForBlocked();
  const interrupted = AbortSignal.any([asked, blocked.signal]);
  const startMs = performance.now() + (options.processes > 1 ? leadMs : 0);
  const outage = options.outage && new OutageMeasure(options.outage, startMs);
  const running = source.start(startMs, outage);
  const read = async (): Promise<Reading> => ({ cpu: await running.cpu(), ...readOthers(), atMs: performance.now() });
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
  const scraper = startScraper(options, startMs);
  const sampler = new Sampler(target, start);
  let changes = 0;
  dashboard.start({
    scale: (factor) => {
      changes += 1;
      running.scale(factor);
    },
  });
  const underway: Underway = { options, running, sampler, dashboard, startMs, read, interrupted };
  const watched = await watchSeconds(underway);
  running.stop();
  const stoppedAtMs = performance.now();
  outage?.stop(stoppedAtMs);
  faults.undo();
  const scraped = scraper?.stop(startMs, { isHurried: interrupted.aborted });
  const ended = await endLoad(underway, source.workerNames);
  dashboard.end();
  blocked.close();
  return buildResult({
    ...factsOf(options, source, running),
    ...watched,
    ...ended,
    start,
    stoppedAtMs,
    outage,
    faults: faults.events,
    changes,
    targetPid: target?.root,
    isTargetRemote: !isOnThisMachine(origin),
    before,
    scraped: await scraped,
    seconds: sampler.seconds,
    history: sampler.history,
  });
};

/** Facts of a run, and the measurements of its load. */
const factsOf = (options: RunOptions, { accounts }: LoadSource, running: Load) => {
  const { scenario } = options;
  return {
    scenario: scenario.name,
    options,
    weights: weightsOf(scenario),
    fingerprint: fingerprintOf(options),
    accounts,
    recorder: running.recorder,
    checker: running.checker,
    custom: scenario.custom === undefined ? undefined : running.custom,
    transport: running.transport,
    revocation: running.revocation ?? new RevocationMeasure(),
    guards: running.guards ?? [],
  };
};
