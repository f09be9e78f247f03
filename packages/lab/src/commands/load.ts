/**
 * The measured part of a run: users come, act and go, while everything is read once a second.
 * @module
 */
import { type Crowd, startCrowd } from '../arrivals/closed-users.ts';
import { type Behaviour, scheduleFingerprint } from '../arrivals/schedule.ts';
import type { FaultTimeline } from '../faults/timeline.ts';
import { ConsistencyChecker } from '../measures/consistency.ts';
import { Recorder } from '../measures/recorder.ts';
import { Sampler } from '../measures/sampler.ts';
import { GeneratorProbe } from '../probes/generator.ts';
import { readCpuTimes } from '../probes/machine.ts';
import { findListener, TargetProcesses } from '../probes/target-process.ts';
import { buildResult } from '../reports/build-result.ts';
import type { Reading, SteadyStart } from '../reports/gathered.ts';
import type { Progress } from '../reports/progress.ts';
import type { RunResult } from '../reports/result.ts';
import { type AuthTask, actAuth, authBehaviour } from '../scenarios/auth.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { Connection } from '../targets/connection.ts';
import { isOnThisMachine, portOf } from '../targets/origin.ts';
import { limitsOf, type RunOptions } from './run-options.ts';

/** Longest wait for answers after the end, and after an interrupt, milliseconds. */
const drainMs = 10_000;
const interruptedDrainMs = 1000;
/** An interrupt ends the run within this time, milliseconds, and the steady window starts as late at most. */
const napMs = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const behaviourOf = ({ waitSeconds: [shortest, longest] }: RunOptions): Behaviour<AuthTask> => ({
  ...authBehaviour,
  waitMs: [shortest * 1000, longest * 1000],
});

interface Running {
  readonly crowd: Crowd;
  readonly connections: Connection[];
  readonly recorder: Recorder;
  readonly checker: ConsistencyChecker;
}

const startUsers = (options: RunOptions, accounts: AccountSource): Running => {
  const recorder = new Recorder();
  const checker = new ConsistencyChecker();
  const connections: Connection[] = [];
  const crowd = startCrowd({
    users: options.users,
    spawnRate: options.spawnRate,
    seed: options.seed,
    behaviour: behaviourOf(options),
    create: (index) => {
      const connection = new Connection(options.target, limitsOf(options));
      connections.push(connection);
      return new VirtualUser({
        connection,
        credentials: accounts.credentialsOf(index),
        hasAccount: accounts.kind === 'imported',
        recorder,
        checker,
        nowMs: () => performance.now(),
      });
    },
    enter: (user) => user.enter(),
    act: actAuth,
    isReady: (user) => user.holdsToken,
  });
  return { crowd, connections, recorder, checker };
};

const findTarget = ({ target, targetPid }: RunOptions): TargetProcesses | undefined => {
  const pid = targetPid ?? (isOnThisMachine(target) ? findListener(portOf(target)) : undefined);
  return pid === undefined ? undefined : new TargetProcesses(pid);
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
 * @param interrupted ends the run early when it is aborted; what was measured so far is reported
 */
export const load = async (
  options: RunOptions,
  accounts: AccountSource,
  faults: FaultTimeline,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<RunResult> => {
  const target = findTarget(options);
  const generator = new GeneratorProbe();
  const startedAt = new Date();
  const read = (): Reading => ({
    cpu: process.cpuUsage(),
    machine: readCpuTimes(),
    target: target?.read({ search: true }),
    atMs: performance.now(),
  });
  const before = read();
  const { crowd, connections, recorder, checker } = startUsers(options, accounts);
  const sampler = new Sampler(recorder, generator, target);
  faults.start((line) => progress.say(line));
  let steady: SteadyStart | undefined;
  const startSteady = (): void => {
    steady = {
      atMs: performance.now(),
      second: sampler.seconds.length,
      tasks: crowd.tasks,
      lateStarts: crowd.lateStarts,
      warmUp: generator.turnWindow(),
    };
    recorder.startSteady(steady.atMs);
  };

  const endMs = before.atMs + options.durationSeconds * 1000;
  while (performance.now() < endMs && !interrupted.aborted) {
    const nextMs = Math.min(endMs, before.atMs + (sampler.seconds.length + 1) * 1000);
    while (performance.now() < nextMs && !interrupted.aborted) {
      await sleep(Math.min(napMs, Math.max(1, nextMs - performance.now())));
      if (steady === undefined && crowd.ready === options.users) startSteady();
    }
    progress.show(sampler.turnSecond(crowd.started), steady !== undefined);
  }
  crowd.stop();
  faults.undo();
  const stoppedAtMs = performance.now();
  await drain(crowd.ended, interrupted);
  const isInterrupted = interrupted.aborted;
  const cutRequests = crowd.inFlight;
  const after = read();
  const health = generator.turnWindow();
  const connects = connections.reduce((sum, connection) => sum + connection.connects, 0);
  // After an interrupt nobody can say what would have come. At a regular end the target has had time enough: no answer is a failure.
  if (isInterrupted) recorder.close();
  await Promise.all(connections.map((connection) => connection.destroy()));
  await drain(crowd.ended, interrupted);
  generator.stop();
  progress.end();
  return buildResult({
    scenario: 'auth',
    options,
    weights: authBehaviour.weights,
    fingerprint: scheduleFingerprint(options.seed, options.users, behaviourOf(options)),
    accounts,
    startedAt,
    stoppedAtMs,
    steady,
    isInterrupted,
    recorder,
    checker,
    faults: faults.events,
    crowd,
    cutRequests,
    connects,
    targetPid: target?.root,
    isTargetRemote: !isOnThisMachine(options.target),
    before,
    after,
    health,
    seconds: sampler.seconds,
    history: sampler.history,
  });
};
