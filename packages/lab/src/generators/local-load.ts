/**
 * The load that this process makes: users of the closed model, or arrivals of the open one.
 * @module
 */
import { arrivalTimes } from '../arrivals/arrival-times.ts';
import { startCrowd } from '../arrivals/closed-users.ts';
import type { Crowd } from '../arrivals/crowd.ts';
import { ExceptionCounts } from '../arrivals/exceptions.ts';
import { startArrivals } from '../arrivals/open-arrivals.ts';
import { type Random, randomOf } from '../arrivals/random.ts';
import { type Behaviour, scheduleFingerprint, stepsOf } from '../arrivals/schedule.ts';
import { stagedUsers, steadyUsers, type UserPlan } from '../arrivals/stages.ts';
import { UserPool } from '../arrivals/user-pool.ts';
import { limitsOf, type RunOptions } from '../commands/run-options.ts';
import { callHook } from '../containment/call-hook.ts';
import { strayFaults } from '../containment/stray-faults.ts';
import { isBlocked } from '../containment/watchdog.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import type { Measured } from '../measures/measured.ts';
import type { OutageMeasure } from '../measures/outage-measure.ts';
import { type Follower, Recorder } from '../measures/recorder.ts';
import { RevocationMeasure } from '../measures/revocation.ts';
import { GeneratorProbe } from '../probes/generator.ts';
import type { Hooks, RunFacts } from '../scenarios/define-scenario.ts';
import type { HeldToken } from '../scenarios/exchange.ts';
import { weightsOf } from '../scenarios/scenario.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import { Witnesses } from '../scenarios/witnesses.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { Lanes } from '../targets/lanes.ts';
import type { Workers } from '../targets/workers.ts';
import { type Load, type LoadCounters, type LoadProgress, waitForCut } from './load.ts';
import { type Connections, enterAll, makePlayers, type Player, type Players } from './players.ts';
import { signIn } from './sign-in.ts';

/** What a run has prepared before its first measured request. */
export interface Prepared {
  readonly accounts: AccountSource;
  readonly checker: ConsistencyChecker;
  /** Connections to every worker, when the scenario asks them all. */
  readonly workers: Workers | undefined;
  /** Sessions signed in beforehand, in the open model of logouts. */
  readonly sessions: readonly HeldToken[] | undefined;
  readonly players: Players;
  /** Users that have entered beforehand, in the open model of tasks. */
  readonly entered: readonly Player[] | undefined;
}

/** A wait of the scenario's own; where it throws, one second, and the fault is counted. */
const drawSafely =
  (draw: (random: Random) => number) =>
  (random: Random): number => {
    try {
      return draw(random) * 1000;
    } catch (thrown) {
      strayFaults.note(thrown, 'wait');
      return 1000;
    }
  };

/** What the users do. */
export const behaviourOf = ({ scenario, waitSeconds: [shortest, longest], isPaced }: RunOptions): Behaviour<string> => {
  const wait = scenario.own?.wait;
  return {
    weights: weightsOf(scenario),
    waitMs: [shortest * 1000, longest * 1000],
    ...(isPaced ? { isPacing: true } : {}),
    ...(wait?.kind === 'drawn' ? { drawWaitMs: drawSafely(wait.draw) } : {}),
  };
};

/** Users over the run. */
export const userPlanOf = ({ users, spawnRate, stages }: RunOptions): UserPlan =>
  stages.length === 0 ? steadyUsers(users, spawnRate) : stagedUsers(stages, spawnRate);

/** Whether tasks begin at times of their own, whatever the answers do. */
export const isOpen = ({ rate, logoutsPerSecond, stages }: RunOptions): boolean =>
  rate !== undefined || logoutsPerSecond !== undefined || stages.some((stage) => stage.rate !== undefined);

/** Times of all starts of the open model, milliseconds since the start of the run. */
export const intendedTimes = (options: RunOptions): Float64Array =>
  arrivalTimes({
    perSecond: options.logoutsPerSecond ?? options.rate ?? 1,
    stages: options.stages,
    durationSeconds: options.durationSeconds,
    spacing: options.arrivals,
    seed: options.seed,
  });

/** Fingerprint of what is asked of the target and when. */
export const fingerprintOf = (options: RunOptions): string =>
  scheduleFingerprint(
    options.stages.length === 0 && options.rate === undefined
      ? options.seed
      : JSON.stringify([options.seed, options.stages, options.rate, options.arrivals]),
    options.users,
    behaviourOf(options),
  );

const factsOf = ({ target, users, seed, share, processes }: RunOptions): RunFacts => ({
  target,
  users,
  seed,
  process: share.first,
  processes,
});

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
    call: () => options.scenario.own?.hooks?.testStart?.(factsOf(options)),
    secondsMax: startHookSecondsMax,
    faults: players.faults,
    interrupted,
  });
  const sessions =
    options.logoutsPerSecond === undefined
      ? undefined
      : await signIn(options, intendedTimes(options).length, accounts, checker, say, interrupted);
  const entered =
    isOpen(options) && sessions === undefined ? await enterAll(options, players, say, interrupted) : undefined;
  return { accounts, checker, workers, sessions, players, entered };
};

const startUsers = (options: RunOptions, players: Players, startMs: number): Crowd =>
  startCrowd<string, Player>({
    users: userPlanOf(options),
    seed: options.seed,
    behaviour: behaviourOf(options),
    share: options.share,
    startMs,
    create: (index) => players.create(index),
    enter: (player) => player.enter(),
    act: (player, task) => player.act(task),
    leave: async (player, isEnd) => player.leave?.(isEnd),
    isReady: (player) => player.isReady,
  });

/** Each start takes the first user that is idle; which task it is follows from the seed and its number. */
const startTasks = (options: RunOptions, entered: readonly Player[], startMs: number): Crowd => {
  const timesMs = intendedTimes(options);
  const pool = new UserPool(entered);
  const random = randomOf(`${options.seed}/tasks`, 0);
  const step = stepsOf(behaviourOf(options));
  const tasks = Array.from(timesMs, () => step(random).task);
  return startArrivals({
    timesMs,
    available: entered.length === 0 ? 0 : timesMs.length,
    users: entered.length,
    share: options.share,
    startMs,
    hasRoom: () => pool.hasRoom,
    act: (index, intendedAtMs) => pool.lend((player) => player.act(tasks[index] ?? '', intendedAtMs)),
  });
};

const startLogouts = (
  options: RunOptions,
  { accounts, players }: Prepared,
  sessions: readonly HeldToken[],
  lanes: Lanes,
  startMs: number,
): Crowd =>
  startArrivals({
    timesMs: intendedTimes(options),
    available: sessions.length,
    startMs,
    act: async (index, intendedAtMs) => {
      const token = sessions[index];
      if (token === undefined) return;
      const credentials = accounts.credentialsOf(index % options.users);
      const { measures, witnesses } = players;
      const user = new VirtualUser({ connection: lanes, credentials, hasAccount: true, measures, token });
      await witnesses?.signOut(user, intendedAtMs);
      measures.checker.release(token.serial);
    },
  });

/** Follows each request with the scenario's hook. What it throws is its own fault, and neither the request's nor the task's. */
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

/** Longest waits for hooks of a scenario, seconds: one may fill a database before the first user comes. */
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
  const { workers, sessions, checker, players, entered } = prepared;
  const hooks = options.scenario.own?.hooks;
  const { faults } = players;
  const recorder = new Recorder(followerOf(outage, hooks, faults));
  const revocation = new RevocationMeasure();
  const { measures, transport } = players;
  measures.recorder = recorder;
  players.witnesses = workers && new Witnesses({ workers, measures, revocation, probeEvery: options.probeEvery });
  const lanes = sessions && new Lanes(options.target, limitsOf(options), options.users, { transport });
  const probe = new GeneratorProbe();
  const crowd =
    sessions !== undefined && lanes !== undefined
      ? startLogouts(options, prepared, sessions, lanes, startMs)
      : entered !== undefined
        ? startTasks(options, entered, startMs)
        : startUsers(options, players, startMs);
  const connections = (): readonly Connections[] => (lanes === undefined ? players.connections : [lanes]);
  const progress = (): LoadProgress => {
    const exceptions = new ExceptionCounts();
    faults.absorb(strayFaults.take());
    for (const each of [crowd.exceptions, faults.all]) exceptions.absorb(each);
    const sum = (key: 'connects' | 'reconnects'): number => connections().reduce((total, each) => total + each[key], 0);
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
    own: players.own,
    transport,
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
      // After an interrupt nobody can say what would have come. At a regular end the target has had time enough: no answer is a failure.
      if (isInterrupted) recorder.close();
      await Promise.all([...connections(), workers].map((each) => each?.destroy()));
      await waitForCut(crowd.ended, isInterrupted);
      // What comes still later is in no file, and must not be in one of them.
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
