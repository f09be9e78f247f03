/**
 * The users that play a scenario, each with its connection: built-in users, or those of a custom
 * scenario.
 * @module
 */

import { randomOf } from '../arrivals/random.ts';
import { hasStack, PlacedFault, thrownValue } from '../containment/describe-fault.ts';
import { ExceptionCounts } from '../containment/exceptions.ts';
import { isBlocked } from '../containment/watchdog.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import { CustomMeasures } from '../measures/custom-measures.ts';
import { Recorder } from '../measures/recorder.ts';
import { limitsOf, type RunOptions } from '../options/run-options.ts';
import { drawerOf } from '../scenarios/data-pool.ts';
import type { DefinedScenario } from '../scenarios/define-scenario.ts';
import type { Measures } from '../scenarios/exchange.ts';
import { Guards } from '../scenarios/guards.ts';
import { actScenario } from '../scenarios/scenario.ts';
import { ScenarioUser } from '../scenarios/scenario-user.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import type { Witnesses } from '../scenarios/witnesses.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { Connection } from '../targets/connection.ts';
import { Lanes } from '../targets/lanes.ts';
import { addressOf } from '../targets/source-addresses.ts';
import { TransportMeasure } from '../targets/transport.ts';
import { waitAtMost } from './load.ts';

/** One user, whatever it plays. */
export interface Player {
  readonly isReady: boolean;
  enter(): Promise<void>;
  /** @param intendedAtMs when the task should have begun, in the open model */
  act(task: string, intendedAtMs?: number): Promise<void>;
  /** @param isEnd whether the run is over */
  leave?(isEnd: boolean): Promise<void>;
  /** The running act of a custom scenario: `task "read"`, `onStart`; `undefined` between acts. */
  readonly doing?: string | undefined;
}

/** The connections of a user. */
export type Connections = Pick<Lanes, 'send' | 'connects' | 'reconnects' | 'destroy'>;

/**
 * Concurrent requests of one user in a custom scenario, one per connection: as many as a browser
 * opens to one host.
 */
const connectionsPerUser = 6;

/** The users of this process and their recorder. */
export interface Players {
  /** Its recorder is exchanged when the measured part begins. */
  readonly measures: Measures & { recorder: Recorder };
  readonly custom: CustomMeasures;
  readonly connections: readonly Connections[];
  readonly transport: TransportMeasure;
  /** Faults of the scenario before its tasks run. */
  readonly faults: ExceptionCounts;
  witnesses: Witnesses | undefined;
  /** Guarded APIs that are asked; `undefined` when none was named. */
  readonly guards: Guards | undefined;
  create(index: number): Player;
  /**
   * Counts acts that have not ended as faults: at the end of a run, when nothing is under way for
   * them any more.
   */
  noteStuck(): void;
}

const customPlayer = (custom: DefinedScenario, user: ScenarioUser<unknown>): Player => {
  const tasks = new Map(custom.tasks.map((task) => [task.name, task.run]));
  const { onStop } = custom;
  let isReady = false;
  let doing: string | undefined;
  /** Runs code of the scenario, and remembers its place for reports. */
  const run = async (what: string, act: ((user: ScenarioUser<unknown>) => unknown) | undefined): Promise<void> => {
    if (isBlocked()) return;
    doing = what;
    try {
      await act?.(user);
    } catch (thrown) {
      throw hasStack(thrown) ? thrown : thrownValue(thrown, placeOf(what));
    } finally {
      doing = undefined;
    }
  };
  const enter = async (): Promise<void> => {
    await run(startAct, custom.onStart);
    isReady = true;
  };
  return {
    get isReady() {
      return isReady;
    },
    get doing() {
      return doing && placeOf(doing);
    },
    enter,
    act: (task, intendedAtMs) => {
      user.begin(intendedAtMs);
      return isReady ? run(task, tasks.get(task)) : enter();
    },
    ...(onStop === undefined
      ? {}
      : {
          leave: async (isEnd) => {
            if (isEnd) user.stopCounting();
            await run(stopAct, onStop);
          },
        }),
  };
};

/** Acts that are no tasks. The line end keeps them apart from any task of the same name. */
const startAct = 'onStart\n';
const stopAct = 'onStop\n';
const placeOf = (what: string): string => (what === startAct || what === stopAct ? what.trim() : `task "${what}"`);

/** Acts that have not ended, each with the first user that is at it, and how many are. */
const stuckOf = (players: ReadonlyMap<number, Player>): ReadonlyMap<string, { user: number; users: number }> => {
  const stuck = new Map<string, { user: number; users: number }>();
  for (const [index, { doing }] of players) {
    if (doing === undefined) continue;
    const known = stuck.get(doing);
    if (known === undefined) stuck.set(doing, { user: index, users: 1 });
    else known.users += 1;
  }
  return stuck;
};

/** Makes the parts that users share. Until a recorder is set, measurements are discarded. */
export const makePlayers = (
  options: RunOptions,
  accounts: Pick<AccountSource, 'kind' | 'credentialsOf'>,
  checker: ConsistencyChecker,
  onWorker?: (worker: string) => void,
): Players => {
  const { scenario, target, sourceAddresses, seed, share } = options;
  const limits = limitsOf(options);
  const measures = {
    recorder: new Recorder(),
    checker,
    nowMs: () => performance.now(),
    ...(onWorker === undefined ? {} : { onWorker }),
  };
  const { guards: apis, guardLeaseSeconds } = options;
  const guards =
    apis.length === 0 ? undefined : new Guards({ apis, leaseMs: guardLeaseSeconds * 1000, limits, checker });
  const connections: Connections[] = [];
  const transport = new TransportMeasure();
  const custom = new CustomMeasures(scenario.custom?.checks, scenario.custom?.metrics);
  const faults = new ExceptionCounts();
  const customPlayers = new Map<number, Player>();
  const draw = scenario.custom?.dataPool === undefined ? undefined : drawerOf(scenario.custom.dataPool);
  const players: Players = {
    measures,
    custom,
    connections,
    transport,
    faults,
    witnesses: undefined,
    guards,
    noteStuck: () => {
      for (const [doing, { user, users }] of stuckOf(customPlayers)) {
        const others = users === 1 ? '' : ` and ${users - 1} other${users === 2 ? '' : 's'}`;
        faults.note(new PlacedFault(`${doing} of user ${user}${others} has not ended, and waits for no answer`, doing));
      }
    },
    create: (index) => {
      const localAddress = sourceAddresses && addressOf(sourceAddresses, index);
      const place = { localAddress, transport };
      const connection =
        scenario.custom === undefined
          ? new Connection(target, limits, place)
          : new Lanes(target, limits, connectionsPerUser, place);
      connections.push(connection);
      // Users that were added by hand share accounts with those that were planned.
      const credentials = accounts.credentialsOf(index % options.users);
      const hasAccount = accounts.kind === 'imported';
      const account = new VirtualUser({ connection, credentials, hasAccount, measures, guards });
      if (scenario.custom !== undefined) {
        const random = randomOf(`${seed}/user`, index);
        const player = customPlayer(
          scenario.custom,
          new ScenarioUser<unknown>({
            index,
            connection,
            credentials,
            measures,
            custom,
            account,
            random,
            draw: () => draw?.({ index: index % options.users, random, share }),
          }),
        );
        customPlayers.set(index, player);
        return player;
      }
      return {
        get isReady() {
          return account.token !== undefined;
        },
        enter: () => account.enter(),
        act: (task, intendedAtMs) => actScenario(scenario, account, task, players.witnesses, intendedAtMs),
      };
    },
  };
  return players;
};

/** Users that enter at once: hashing is the target's bottleneck, more would only wait. */
const enteringAtOnce = 16;
/**
 * Longest wait for one user, milliseconds: an `onStart` that never ends must not keep the run from
 * beginning.
 */
const enterMsMax = 60_000;
/** Tries of each: a target that hashes may say that it is busy. */
const triesMax = 3;
const progressMs = 5000;

/** @throws the error of the last try */
const enterInTries = async (player: Player, interrupted: AbortSignal): Promise<void> => {
  for (let tries = 1; !player.isReady && !interrupted.aborted && tries <= triesMax; tries++)
    await player.enter().catch((thrown: unknown) => {
      if (tries === triesMax) throw thrown;
    });
};

/**
 * Lets all users of this process enter before anything is measured, as the open model needs it.
 * @returns those that are ready
 */
export const enterAll = async (
  { users, share }: RunOptions,
  players: Players,
  say: (text: string) => void,
  interrupted: AbortSignal,
): Promise<readonly Player[]> => {
  const ready: Player[] = [];
  let next = share.first;
  let saidAtMs = performance.now();
  const work = async (): Promise<void> => {
    while (next < users && !interrupted.aborted) {
      const player = players.create(next);
      next += share.of;
      const entering = enterInTries(player, interrupted).catch((thrown: unknown) =>
        players.faults.note(thrown, 'onStart'),
      );
      await waitAtMost(entering, enterMsMax, interrupted);
      if (player.isReady) ready.push(player);
      // It waits for ever. Were all users like it, waiting for each would take hours.
      else if (player.doing !== undefined) return;
      if (performance.now() - saidAtMs < progressMs) continue;
      saidAtMs = performance.now();
      say(`${ready.length} of ${users} users have entered`);
    }
  };
  await Promise.all(Array.from({ length: enteringAtOnce }, work));
  return ready;
};
