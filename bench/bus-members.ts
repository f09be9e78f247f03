/**
 * How many members does one Redis carry, and what does each cost?
 * @module
 */
import { randomBytes, randomUUID } from 'node:crypto';
import type { MemberId } from '@catalytic/protocol/ids';
import { type Redis, startRedis } from '../tests/harness/redis.ts';
import { runBench } from './harness/bench.ts';
import { startChild } from './harness/child.ts';
import { type Latencies, latencies, round, table } from './harness/figures.ts';
import { number, numbers } from './harness/options.ts';
import { cpuSecondsOfTree } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import type { BusMembersTasks, Revocations } from './loads/bus-members-process.ts';

const help = `Has many members hear and acknowledge revocations over one real Redis, all of them revoking in turn: the real bus, barrier and view, many
members in each of a few processes. There is no database, because the bus is what is measured: how long a revocation takes until every member has
acknowledged it, and what it costs Redis and the members.

  npm run bench -- bus-members                                  8, 32 and 100 members, 50 and 500 revocations a second, 10 s each
  npm run bench -- bus-members --members 100 --rates 1000,2000  others
  npm run bench -- bus-members --processes 2 --seconds 20
`;

/** How a run is set up. */
interface Setup {
  readonly members: number;
  readonly rate: number;
  readonly seconds: number;
  readonly processes: number;
}

const statOf = async (redis: Redis, name: string): Promise<number> =>
  Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(await redis.command('INFO', 'stats')))?.[1] ?? 0);

const usage = async (redis: Redis) => ({
  cpuMicros: 1e6 * cpuSecondsOfTree(redis.pid),
  commands: await statOf(redis, 'total_commands_processed'),
  bytesIn: await statOf(redis, 'total_net_input_bytes'),
  bytesOut: await statOf(redis, 'total_net_output_bytes'),
});
type Usage = Awaited<ReturnType<typeof usage>>;

const measure = async ({ members, rate, seconds, processes }: Setup) => {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const key = randomBytes(32).toString('base64');
  const ids = Array.from({ length: members }, () => randomUUID() as unknown as MemberId);
  const children = Array.from({ length: Math.min(processes, members) }, () =>
    stack.use(startChild<BusMembersTasks>(new URL('loads/bus-members-process.ts', import.meta.url))),
  );
  await Promise.all(
    children.map((child, index) =>
      child.ask('join', {
        redisUrl: redis.url,
        key,
        members: ids,
        mine: ids.filter((_, at) => at % children.length === index),
      }),
    ),
  );
  say(`${members} members are up; revoking ${rate} times a second for ${seconds} s …`);
  const before = await usage(redis);
  const beganMs = performance.now();
  const each = { perSecond: rate / children.length, seconds };
  const revocations = await Promise.all(children.map((child) => child.ask('revoke', each)));
  const tookSeconds = (performance.now() - beganMs) / 1000;
  const after = await usage(redis);
  await Promise.all(children.map((child) => child.ask('leave', undefined)));
  return summarise(members, rate, tookSeconds, revocations, before, after);
};

const summarise = (
  members: number,
  rate: number,
  tookSeconds: number,
  outcomes: readonly Revocations[],
  before: Usage,
  after: Usage,
) => {
  const sum = (of: (outcome: Revocations) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const took = outcomes.flatMap(({ tookMs }) => tookMs);
  const acknowledgedByAll: Latencies = latencies(took);
  const revocations = took.length + sum(({ pending }) => pending);
  const used = (name: keyof Usage): number => after[name] - before[name];
  return {
    members,
    revocationsPerSecond: rate,
    revocations,
    notComplete: sum(({ pending }) => pending),
    acknowledgedByAll,
    hintsPerSecond: round(sum(({ sent }) => sent) / tookSeconds, 0),
    deliveriesPerSecond: round(sum(({ heard }) => heard) / tookSeconds, 0),
    redis: {
      cpuPercentOfACore: round((100 * used('cpuMicros')) / (1e6 * tookSeconds)),
      cpuUsPerRevocation: round(used('cpuMicros') / revocations, 0),
      commandsPerRevocation: round(used('commands') / revocations, 1),
      bytesInPerRevocation: round(used('bytesIn') / revocations, 0),
      bytesOutPerRevocation: round(used('bytesOut') / revocations, 0),
    },
    eachMember: {
      cpuPercentOfACore: round((100 * sum(({ cpuMicros }) => cpuMicros)) / (1e6 * tookSeconds * members), 2),
      cpuUsPerRevocation: round(sum(({ cpuMicros }) => cpuMicros) / (revocations * members), 0),
    },
  };
};

await runBench({
  help,
  options: {
    members: numbers([8, 32, 100], { max: 1000 }),
    rates: numbers([50, 500], { max: 10_000 }),
    seconds: number(10, { max: 600 }),
    processes: number(4, { max: 64 }),
  },
  measures: 'times',
  run: async ({ values: { members: sizes, rates, seconds, processes } }) => {
    const setups = sizes.flatMap((members) => rates.map((rate) => ({ members, rate, seconds, processes })));
    const dealt = await dealRounds(
      Object.fromEntries(setups.map((setup) => [`${setup.members} members, ${setup.rate}/s`, () => measure(setup)])),
      1,
    );
    const results = [...dealt.values()].flat();
    return {
      figures: { seconds, processes, results },
      table: table(
        ['members', 'revocations/s', 'not complete', 'p50 ms', 'p99 ms', 'Redis core %', 'Redis µs', 'member core %'],
        results.map((one) => [
          one.members,
          one.revocationsPerSecond,
          one.notComplete,
          one.acknowledgedByAll.p50Ms,
          one.acknowledgedByAll.p99Ms,
          one.redis.cpuPercentOfACore,
          one.redis.cpuUsPerRevocation,
          one.eachMember.cpuPercentOfACore,
        ]),
      ),
    };
  },
});
