/**
 * Starts what loads the target: users of the closed model, or arrivals of the open one.
 * @module
 */
import { startCrowd } from '../arrivals/closed-users.ts';
import type { Crowd } from '../arrivals/crowd.ts';
import { startArrivals } from '../arrivals/open-arrivals.ts';
import { type Behaviour, scheduleFingerprint } from '../arrivals/schedule.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import { OutageMeasure } from '../measures/outage-measure.ts';
import { Recorder } from '../measures/recorder.ts';
import { RevocationMeasure } from '../measures/revocation.ts';
import type { HeldToken, Measures } from '../scenarios/exchange.ts';
import { actScenario, weightsOf } from '../scenarios/scenario.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import { Witnesses } from '../scenarios/witnesses.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { Lanes } from '../targets/lanes.ts';
import type { Workers } from '../targets/workers.ts';
import { limitsOf, type RunOptions } from './run-options.ts';

/** What a run has prepared before its first measured request. */
export interface Prepared {
  readonly accounts: AccountSource;
  readonly checker: ConsistencyChecker;
  /** Connections to every worker, when the scenario asks them all. */
  readonly workers: Workers | undefined;
  /** Sessions signed in beforehand, in the open model. */
  readonly sessions: readonly HeldToken[] | undefined;
}

/** A load under way. */
export interface Running {
  readonly crowd: Crowd;
  readonly connections: readonly Lanes[];
  readonly recorder: Recorder;
  readonly revocation: RevocationMeasure;
  /** Where the scenario is broken on purpose. */
  readonly outage: OutageMeasure | undefined;
}

/** What the users of the closed model do. */
export const behaviourOf = ({ scenario, waitSeconds: [shortest, longest] }: RunOptions): Behaviour<string> => ({
  weights: weightsOf(scenario),
  waitMs: [shortest * 1000, longest * 1000],
});

/** Starts of the open model that a run intends. */
export const intendedStarts = ({ logoutsPerSecond = 0, durationSeconds }: RunOptions): number =>
  Math.round(logoutsPerSecond * durationSeconds);

/** Fingerprint of what is asked of the target and when. */
export const fingerprintOf = (options: RunOptions): string =>
  scheduleFingerprint(options.seed, options.users, behaviourOf(options));

const startUsers = (
  options: RunOptions,
  { accounts }: Prepared,
  measures: Measures,
  witnesses: Witnesses | undefined,
  connections: Lanes[],
): Crowd =>
  startCrowd({
    users: options.users,
    spawnRate: options.spawnRate,
    seed: options.seed,
    behaviour: behaviourOf(options),
    create: (index) => {
      const connection = new Lanes(options.target, limitsOf(options), 1);
      connections.push(connection);
      return new VirtualUser({
        connection,
        credentials: accounts.credentialsOf(index),
        hasAccount: accounts.kind === 'imported',
        measures,
      });
    },
    enter: (user) => user.enter(),
    act: (user, task) => actScenario(options.scenario, user, task, witnesses),
    isReady: (user) => user.token !== undefined,
  });

const startLogouts = (
  options: RunOptions,
  { accounts }: Prepared,
  sessions: readonly HeldToken[],
  measures: Measures,
  witnesses: Witnesses | undefined,
  connections: Lanes[],
): Crowd => {
  const connection = new Lanes(options.target, limitsOf(options), options.users);
  connections.push(connection);
  return startArrivals({
    perSecond: options.logoutsPerSecond ?? 1,
    intended: intendedStarts(options),
    available: sessions.length,
    act: async (index, intendedAtMs) => {
      const token = sessions[index];
      if (token === undefined) return;
      const credentials = accounts.credentialsOf(index % options.users);
      await witnesses?.signOut(
        new VirtualUser({ connection, credentials, hasAccount: true, measures, token }),
        intendedAtMs,
      );
      measures.checker.release(token.serial);
    },
  });
};

/** Starts the load. @param startMs start of the run */
export const startLoad = (options: RunOptions, prepared: Prepared, startMs: number): Running => {
  const { workers, sessions, checker } = prepared;
  const outage = options.outage && new OutageMeasure(options.outage, startMs);
  const recorder = new Recorder(outage);
  const revocation = new RevocationMeasure();
  const measures: Measures = {
    recorder,
    checker,
    nowMs: () => performance.now(),
    ...(workers === undefined ? {} : { onWorker: (worker) => workers.notice(worker) }),
  };
  const { probeEvery } = options;
  const witnesses = workers && new Witnesses({ workers, measures, revocation, probeEvery });
  const connections: Lanes[] = [];
  const crowd =
    sessions === undefined
      ? startUsers(options, prepared, measures, witnesses, connections)
      : startLogouts(options, prepared, sessions, measures, witnesses, connections);
  return { crowd, connections, recorder, revocation, outage };
};
