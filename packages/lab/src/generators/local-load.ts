/**
 * The load that this process makes: users of the closed model, or arrivals of the open one.
 * @module
 */
import type { Crowd } from '../arrivals/crowd.ts';
import { callHook } from '../containment/call-hook.ts';
import { ExceptionCounts } from '../containment/exceptions.ts';
import { strayFaults } from '../containment/stray-faults.ts';
import { isBlocked } from '../containment/watchdog.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import type { Measured } from '../measures/measured.ts';
import type { OutageMeasure } from '../measures/outage-measure.ts';
import { type Follower, Recorder } from '../measures/recorder.ts';
import { RevocationMeasure } from '../measures/revocation.ts';
import type { RunOptions } from '../options/run-options.ts';
import { GeneratorProbe } from '../probes/generator.ts';
import type { Hooks, RunFacts } from '../scenarios/define-scenario.ts';
import { Witnesses } from '../scenarios/witnesses.ts';
import type { AccountSource } from '../targets/accounts.ts';
import type { Workers } from '../targets/workers.ts';
import { closedUsers } from './closed-users-load.ts';
import { type Load, type LoadCounters, type LoadProgress, waitForCut } from './load.ts';
import type { LoadModel, ReadyLoad } from './load-model.ts';
import { isOpen } from './load-plan.ts';
import { openTasks } from './open-tasks-load.ts';
import { pacedLogouts } from './paced-logouts-load.ts';
import { makePlayers, type Players } from './players.ts';

/** A run before its first measured request. */
export interface Prepared {
  readonly accounts: AccountSource;
  readonly checker: ConsistencyChecker;
  /** Connections to every worker, when the scenario asks them all. */
  readonly workers: Workers | undefined;
  readonly players: Players;
  readonly load: ReadyLoad;
}

const factsOf = ({ target, users, seed, share, processes }: RunOptions): RunFacts => ({
  target,
  users,
  seed,
  process: share.first,
  processes,
});

/** The model that the options ask for. */
const loadModelOf = (options: RunOptions): LoadModel => {
  if (options.logoutsPerSecond !== undefined) return pacedLogouts;
  return isOpen(options) ? openTasks : closedUsers;
};

/** Prepares the load of this process. */
export const prepareLoad = async (
  options: RunOptions,
  { accounts, checker, workers }: Pick<Prepared, 'accounts' | 'checker' | 'workers'>,
  say: (text: string) => void,
  interrupted: AbortSignal,
): Promise<Prepared> => {
  const players = makePlayers(
    options,
    accounts,
    checker,
    workers === undefined ? undefined : (worker) => workers.notice(worker),
  );
  await callHook({
    name: 'testStart',
    call: () => options.scenario.custom?.hooks?.testStart?.(factsOf(options)),
    secondsMax: startHookSecondsMax,
    faults: players.faults,
    interrupted,
  });
  const load = await loadModelOf(options)({ options, accounts, players, say, interrupted });
  return { accounts, checker, workers, players, load };
};

/**
 * Calls the scenario's hook after each request. An exception of the hook counts neither against the
 * request nor against the task.
 */
const followerOf = (
  outage: OutageMeasure | undefined,
  hooks: Hooks | undefined,
  faults: ExceptionCounts,
): Follower | undefined => {
  const request: ((measured: Measured) => unknown) | undefined = hooks?.request;
  if (outage !== undefined || request === undefined) return outage;
  const note = (thrown: unknown): void => faults.note(thrown, 'hook request');
  const record = (measured: Measured): void => {
    if (isBlocked()) return;
    try {
      const returned = request(measured);
      if (returned instanceof Promise) returned.catch(note);
    } catch (thrown) {
      note(thrown);
    }
  };
  return { record, recordLogout: () => {} };
};

const countersOf = ({ tasks, taskMs, waitMs, userMs, lateStarts }: Crowd): LoadCounters => ({
  tasks,
  taskMs,
  waitMs,
  userMs,
  lateStarts,
});

/**
 * Longest waits for hooks of a scenario, seconds: one may fill a database before the first user
 * comes.
 */
const startHookSecondsMax = 60;
const hookSecondsMax = 10;

/** The load of this process. */
export interface LocalLoad extends Load {
  progress(): LoadProgress;
}

/**
 * Starts the load of this process.
 * @param startMs start of the run
 */
export const startLoad = (
  options: RunOptions,
  prepared: Prepared,
  startMs: number,
  outage?: OutageMeasure,
): LocalLoad => {
  const { workers, checker, players, load } = prepared;
  const hooks = options.scenario.custom?.hooks;
  const { faults } = players;
  const recorder = new Recorder(followerOf(outage, hooks, faults));
  const revocation = new RevocationMeasure();
  const { measures, transport } = players;
  measures.recorder = recorder;
  players.witnesses = workers && new Witnesses({ workers, measures, revocation, probeEvery: options.probeEvery });
  const probe = new GeneratorProbe();
  const crowd = load.start(startMs);
  const progress = (): LoadProgress => {
    const exceptions = new ExceptionCounts();
    faults.absorb(strayFaults.take());
    for (const each of [crowd.exceptions, faults.all]) exceptions.absorb(each);
    const sum = (key: 'connects' | 'reconnects'): number =>
      load.connections.reduce((total, each) => total + each[key], 0);
    return {
      ...countersOf(crowd),
      started: crowd.started,
      droppedStarts: crowd.droppedStarts,
      exceptions: exceptions.all,
      connects: sum('connects'),
      reconnects: sum('reconnects'),
    };
  };
  return {
    progress,
    recorder,
    checker,
    revocation,
    custom: players.custom,
    transport,
    guards: players.guards?.measures ?? [],
    get isReady() {
      return crowd.isReady;
    },
    ended: crowd.ended,
    turnSecond: async () => ({
      users: crowd.active,
      requests: recorder.turnSecond(),
      generator: probe.turnSecond(),
    }),
    cpu: async () => process.cpuUsage(),
    becomeSteady: async () => {
      const atMs = performance.now();
      recorder.startSteady(atMs);
      revocation.restart();
      outage?.becameSteady(atMs);
      // Not waited for: the steady window has begun.
      const call = (): unknown => hooks?.spawningComplete?.(factsOf(options));
      void callHook({ name: 'spawningComplete', call, secondsMax: hookSecondsMax, faults });
      return { ...countersOf(crowd), atMs, warmUp: probe.turnWindow() };
    },
    scale: (factor) => crowd.scale(factor),
    stop: () => crowd.stop(),
    finish: async (isInterrupted) => {
      const [counters, cutRequests, health] = [countersOf(crowd), crowd.inFlight, probe.turnWindow()];
      // After an interrupt, a missing answer says nothing. At a regular end the target had time
      // enough, so no answer is a failure.
      if (isInterrupted) recorder.close();
      await Promise.all([...load.connections, workers, players.guards].map((each) => each?.destroy()));
      await waitForCut(crowd.ended, isInterrupted);
      // Later answers are in no file, and must not be in one of them.
      recorder.close();
      probe.stop();
      if (!isInterrupted) {
        players.noteStuck();
        const call = (): unknown => hooks?.testStop?.(factsOf(options));
        await callHook({ name: 'testStop', call, secondsMax: hookSecondsMax, faults });
      }
      if (workers !== undefined) transport.absorb(workers.transport.take());
      return { ...progress(), ...counters, cutRequests, health };
    },
  };
};
