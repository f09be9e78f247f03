/**
 * Who plays a scenario: users with a connection each, ours or those of an own scenario.
 * @module
 */
import { randomOf } from '../arrivals/random.ts';
import { limitsOf, type RunOptions } from '../commands/run-options.ts';
import type { ConsistencyChecker } from '../measures/consistency.ts';
import { OwnMeasures } from '../measures/own-measures.ts';
import { Recorder } from '../measures/recorder.ts';
import { TransportMeasure } from '../measures/transport.ts';
import { drawerOf } from '../scenarios/data-pool.ts';
import type { DefinedScenario } from '../scenarios/define-scenario.ts';
import type { Measures } from '../scenarios/exchange.ts';
import { actScenario } from '../scenarios/scenario.ts';
import { ScenarioUser } from '../scenarios/scenario-user.ts';
import { VirtualUser } from '../scenarios/virtual-user.ts';
import type { Witnesses } from '../scenarios/witnesses.ts';
import type { AccountSource } from '../targets/accounts.ts';
import { Connection } from '../targets/connection.ts';
import { Lanes } from '../targets/lanes.ts';
import { addressOf } from '../targets/source-addresses.ts';

/** One user, whatever it plays. */
export interface Player {
  readonly isReady: boolean;
  enter(): Promise<void>;
  /** @param intendedAtMs when the task should have begun, in the open model */
  act(task: string, intendedAtMs?: number): Promise<void>;
  /** @param isEnd whether the run is over */
  leave?(isEnd: boolean): Promise<void>;
}

/** What a user speaks through. */
export type Connections = Pick<Lanes, 'send' | 'connects' | 'reconnects' | 'destroy'>;

/** Requests of one user at a time in an own scenario, each on a connection of its own: as many as a browser opens to one host. */
const connectionsPerUser = 6;

/** The users of this process and what they are measured with. */
export interface Players {
  /** Its recorder is exchanged when the measured part begins. */
  readonly measures: Measures & { recorder: Recorder };
  readonly own: OwnMeasures;
  readonly connections: readonly Connections[];
  readonly transport: TransportMeasure;
  witnesses: Witnesses | undefined;
  create(index: number): Player;
}

const ownPlayer = (own: DefinedScenario, user: ScenarioUser<unknown>): Player => {
  const tasks = new Map(own.tasks.map((task) => [task.name, task.run]));
  const { onStop } = own;
  let isReady = false;
  const enter = async (): Promise<void> => {
    await own.onStart?.(user);
    isReady = true;
  };
  return {
    get isReady() {
      return isReady;
    },
    enter,
    act: async (task, intendedAtMs) => {
      user.begin(intendedAtMs);
      await (isReady ? tasks.get(task)?.(user) : enter());
    },
    ...(onStop === undefined
      ? {}
      : {
          leave: async (isEnd) => {
            if (isEnd) user.stopCounting();
            await onStop(user);
          },
        }),
  };
};

/** Makes what users share. Until a recorder is put in place, what they do is measured and thrown away. */
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
  const connections: Connections[] = [];
  const transport = new TransportMeasure();
  const own = new OwnMeasures(scenario.own?.checks, scenario.own?.metrics);
  const draw = scenario.own?.dataPool === undefined ? undefined : drawerOf(scenario.own.dataPool);
  const players: Players = {
    measures,
    own,
    connections,
    transport,
    witnesses: undefined,
    create: (index) => {
      const localAddress = sourceAddresses && addressOf(sourceAddresses, index);
      const place = { localAddress, transport };
      const connection =
        scenario.own === undefined
          ? new Connection(target, limits, place)
          : new Lanes(target, limits, connectionsPerUser, place);
      connections.push(connection);
      // Users that were added by hand share accounts with those that were planned.
      const credentials = accounts.credentialsOf(index % options.users);
      const account = new VirtualUser({ connection, credentials, hasAccount: accounts.kind === 'imported', measures });
      if (scenario.own !== undefined) {
        const random = randomOf(`${seed}/user`, index);
        return ownPlayer(
          scenario.own,
          new ScenarioUser<unknown>({
            index,
            connection,
            credentials,
            measures,
            own,
            account,
            random,
            draw: () => draw?.({ index: index % options.users, random, share }),
          }),
        );
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
/** Tries of each: a target that hashes may say that it is busy. */
const triesMax = 3;
const progressMs = 5000;

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
      for (let tries = 0; tries < triesMax && !player.isReady && !interrupted.aborted; tries++)
        // A fault of the scenario is found and counted when its tasks run; here the user is left out.
        await player.enter().catch(() => {});
      if (player.isReady) ready.push(player);
      if (performance.now() - saidAtMs < progressMs) continue;
      saidAtMs = performance.now();
      say(`${ready.length} of ${users} users have entered`);
    }
  };
  await Promise.all(Array.from({ length: enteringAtOnce }, work));
  return ready;
};
