/**
 * The measured part of a run: users come, act and go, while everything is read once a second.
 * @module
 */
import { paths } from '@catalytic/protocol/paths';
import type { FaultTimeline } from '../faults/timeline.ts';
import { Sampler } from '../measures/sampler.ts';
import { GeneratorProbe } from '../probes/generator.ts';
import { readCpuTimes } from '../probes/machine.ts';
import { MetricsScraper } from '../probes/metrics-scraper.ts';
import { findListener, TargetProcesses } from '../probes/target-process.ts';
import { buildResult } from '../reports/build-result.ts';
import type { Reading, SteadyStart } from '../reports/gathered.ts';
import type { Progress } from '../reports/progress.ts';
import type { RunResult } from '../reports/result.ts';
import { weightsOf } from '../scenarios/scenario.ts';
import { isOnThisMachine, portOf } from '../targets/origin.ts';
import type { RunOptions } from './run-options.ts';
import { fingerprintOf, type Prepared, startLoad } from './start-load.ts';

/** Longest wait for answers after the end, and after an interrupt, milliseconds. */
const drainMs = 10_000;
const interruptedDrainMs = 1000;
/** An interrupt ends the run within this time, milliseconds, and the steady window starts as late at most. */
const napMs = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const findTarget = ({ target, targetPid }: RunOptions): TargetProcesses | undefined => {
  const pid = targetPid ?? (isOnThisMachine(target) ? findListener(portOf(target)) : undefined);
  return pid === undefined ? undefined : new TargetProcesses(pid);
};

/** Where the target's metrics are: as given, else at its operate address. */
const metricsUrlOf = ({ metrics, operateTarget, target }: RunOptions): string =>
  typeof metrics === 'string' ? metrics : `${operateTarget ?? target}${paths.metrics}`;

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
 * @param interrupted ends the run early when it is aborted; what was measured so far is reported
 */
export const load = async (
  options: RunOptions,
  prepared: Prepared,
  faults: FaultTimeline,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RunResult> => {
  const target = findTarget(options);
  const counted = options.alsoCount.map((pid) => new TargetProcesses(pid));
  const generator = new GeneratorProbe();
  const startedAt = new Date();
  const read = (): Reading => ({
    cpu: process.cpuUsage(),
    machine: readCpuTimes(),
    target: target?.read({ search: true }),
    counted: counted.map((processes) => processes.read({ search: true })),
    atMs: performance.now(),
  });
  const before = read();
  const { crowd, connections, recorder, revocation, outage } = startLoad(options, prepared, before.atMs);
  const scraper =
    options.metrics === false ? undefined : new MetricsScraper(metricsUrlOf(options), options.durationSeconds);
  scraper?.start(before.atMs);
  const sampler = new Sampler(recorder, generator, target);
  faults.start({
    say: (line) => progress.say(line),
    began: (index, atMs) => outage?.began(index, atMs),
    ended: (index, atMs, isDone) => outage?.ended(index, atMs, isDone),
  });
  let steady: SteadyStart | undefined;
  const startSteady = (): void => {
    steady = {
      reading: read(),
      atMs: performance.now(),
      second: sampler.seconds.length,
      tasks: crowd.tasks,
      taskMs: crowd.taskMs,
      lateStarts: crowd.lateStarts,
      warmUp: generator.turnWindow(),
    };
    recorder.startSteady(steady.atMs);
    revocation.restart();
    outage?.becameSteady(steady.atMs);
  };

  const endMs = before.atMs + options.durationSeconds * 1000;
  while (performance.now() < endMs && !interrupted.aborted) {
    const nextMs = Math.min(endMs, before.atMs + (sampler.seconds.length + 1) * 1000);
    while (performance.now() < nextMs && !interrupted.aborted) {
      await sleep(Math.min(napMs, Math.max(1, nextMs - performance.now())));
      if (steady === undefined && crowd.isReady) startSteady();
    }
    progress.show(sampler.turnSecond(crowd.started), steady !== undefined);
  }
  crowd.stop();
  const stoppedAtMs = performance.now();
  outage?.stop(stoppedAtMs);
  faults.undo();
  const scraped = scraper?.stop(before.atMs, { isHurried: interrupted.aborted });
  await drain(crowd.ended, interrupted);
  const isInterrupted = interrupted.aborted;
  const stoppedTaskMs = crowd.taskMs;
  const cutRequests = crowd.inFlight;
  const after = read();
  const health = generator.turnWindow();
  const workerNames = prepared.workers?.names;
  // After an interrupt nobody can say what would have come. At a regular end the target has had time enough: no answer is a failure.
  if (isInterrupted) recorder.close();
  await Promise.all([...connections, prepared.workers].map((each) => each?.destroy()));
  await drain(crowd.ended, interrupted);
  generator.stop();
  progress.end();
  return buildResult({
    scenario: options.scenario.name,
    options,
    weights: weightsOf(options.scenario),
    fingerprint: fingerprintOf(options),
    accounts: prepared.accounts,
    startedAt,
    stoppedAtMs,
    steady,
    isInterrupted,
    recorder,
    checker: prepared.checker,
    revocation,
    outage,
    workerNames,
    faults: faults.events,
    crowd,
    taskMs: stoppedTaskMs,
    cutRequests,
    connects: connections.reduce((sum, { connects }) => sum + connects, 0),
    reconnects: connections.reduce((sum, { reconnects }) => sum + reconnects, 0),
    targetPid: target?.root,
    isTargetRemote: !isOnThisMachine(options.target),
    before,
    after,
    health,
    scraped: await scraped,
    seconds: sampler.seconds,
    history: sampler.history,
  });
};
