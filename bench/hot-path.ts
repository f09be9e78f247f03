/**
 * What does a verify cost in CPU time and in calls of the store, one process on SQLite against four workers on PostgreSQL?
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, signIn } from '../tests/harness/client.ts';
import { inParallel } from '../tests/harness/in-parallel.ts';
import { type Redis, startRedis } from '../tests/harness/redis.ts';
import type { Service } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { watchStrangers } from './harness/conditions.ts';
import { type BenchDatabase, startDatabase } from './harness/database.ts';
import { median, round, table } from './harness/figures.ts';
import { number, optionalText } from './harness/options.ts';
import { cpuSecondsOfTree, ioCallsOfTree } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { insteadOf, pidOf, startServiceOn } from './harness/services.ts';
import { sendLoad, tookMsOfSuccess } from './loads/http-load.ts';

const help = `What one GET /auth/verify costs: one process on SQLite against four workers on PostgreSQL, in random order, at a fixed rate.

  npm run bench -- hot-path [--rounds 3] [--seconds 10] [--rate 400] [--out FILE]
  npm run bench -- hot-path --against CHECKOUT     four workers on PostgreSQL of another checkout, against these with Redis

CPU time of the service (supervisor and workers) and of PostgreSQL, gross and beyond the cost of an idle interval of the same length; transactions
of PostgreSQL; read and write calls of the service (sockets and files) beside those of GET /health/live, which asks no store. About 5 minutes.
`;

const connections = 16;
const sessions = 20;
const email = 'hot@example.com';
/** PostgreSQL writes its counters down up to a second late. */
const countersMs = 1500;

interface Target {
  readonly name: string;
  readonly workers: number;
  readonly service: Service;
  readonly tokens: readonly string[];
  readonly database: BenchDatabase | undefined;
}

/** Where a target differs from one process on SQLite, from this checkout. */
interface Kind {
  readonly database?: BenchDatabase;
  readonly redis?: Redis;
  readonly checkout?: string;
}

const start = async (
  stack: AsyncDisposableStack,
  name: string,
  { database, redis, checkout }: Kind,
): Promise<Target> => {
  const workers = database === undefined ? 1 : 4;
  const settings = {
    ...(database && { DATABASE_URL: database.url, WORKERS: workers }),
    ...(redis && { REDIS_URL: redis.url }),
    LOGIN_CACHE_SECONDS: 3600,
    ACCESS_TOKEN_SECONDS: 86_400,
  };
  const service = await startServiceOn(stack, settings, checkout === undefined ? [] : insteadOf(checkout));
  await importAccounts(service.url, service.dataDir, [email]);
  const signIns = Array.from({ length: sessions });
  const tokens = await inParallel(signIns, () => signIn(service.url, email, goodPassword, 'lab'), 2);
  return { name, workers, service, database, tokens: tokens.map(({ access }) => access) };
};

const startAll = async (stack: AsyncDisposableStack, against: string | undefined): Promise<readonly Target[]> => {
  const database = stack.use(await startDatabase());
  if (against === undefined)
    return [await start(stack, '1 process, SQLite', {}), await start(stack, '4 workers, PostgreSQL', { database })];
  const other = stack.use(await startDatabase());
  const redis = stack.use(await startRedis());
  return [
    await start(stack, '4 workers, PostgreSQL, the other checkout', { database: other, checkout: against }),
    await start(stack, '4 workers, PostgreSQL, Redis', { database, redis }),
  ];
};

/** The load of a run. */
interface Rate {
  readonly seconds: number;
  readonly perSecond: number;
}

/** Sends requests at the rate. @returns how many were answered */
const load = async ({ service, tokens }: Target, path: string, { seconds, perSecond }: Rate): Promise<number> => {
  const asks = tokens.map((token) => ({ method: 'GET', path, token }) as const);
  const answered = await sendLoad({
    url: service.url,
    asks,
    seconds,
    pace: { perSecond },
    connections,
    isSpread: true,
  });
  return tookMsOfSuccess(answered).length + connections;
};

type Counts = Readonly<Record<'service' | 'postgres' | 'transactions' | 'io', number>>;

const count = async ({ service, database }: Target): Promise<Counts> => {
  const pid = pidOf(service);
  const cpu = {
    service: cpuSecondsOfTree(pid),
    postgres: cpuSecondsOfTree(database?.server.pid),
    io: ioCallsOfTree(pid),
  };
  await delay(countersMs);
  const statement = `select xact_commit from pg_stat_database where datname = 'catalytic'`;
  return { ...cpu, transactions: Number((await database?.sql(statement))?.[0]?.[0] ?? 0) };
};

/** Counts what a target uses while something is done. */
const during = async (target: Target, act: () => Promise<number>) => {
  const before = await count(target);
  const requests = await act();
  const after = await count(target);
  const used = (name: keyof Counts): number => after[name] - before[name];
  return {
    requests,
    service: used('service'),
    postgres: used('postgres'),
    transactions: used('transactions'),
    io: used('io'),
  };
};

const measure = async (target: Target, rate: Rate) => {
  const idle = await during(target, async () => {
    await delay(rate.seconds * 1000);
    return 1;
  });
  const verify = await during(target, () => load(target, '/auth/verify', rate));
  const live = await during(target, () => load(target, '/health/live', rate));
  const beyondIdle = (name: keyof Counts): number => (verify[name] - idle[name]) / verify.requests;
  return {
    requests: verify.requests,
    serviceCpuUs: round((verify.service / verify.requests) * 1e6),
    serviceCpuUsBeyondIdle: round(beyondIdle('service') * 1e6),
    postgresCpuUsBeyondIdle: round(beyondIdle('postgres') * 1e6),
    transactionsPerVerify: round(beyondIdle('transactions'), 4),
    ioCallsPerVerify: round(beyondIdle('io'), 3),
    ioCallsPerHealth: round((live.io - idle.io) / live.requests, 3),
  };
};
type Block = Awaited<ReturnType<typeof measure>>;

const summarise = (blocks: ReadonlyMap<string, readonly Block[]>) =>
  [...blocks].map(([target, all]) => {
    const middle = (figure: keyof Block): number => median(all.map((block) => block[figure]));
    return {
      target,
      serviceCpuUs: middle('serviceCpuUs'),
      serviceCpuUsBeyondIdle: middle('serviceCpuUsBeyondIdle'),
      postgresCpuUsBeyondIdle: middle('postgresCpuUsBeyondIdle'),
      transactionsPerVerify: middle('transactionsPerVerify'),
      ioCallsPerVerify: middle('ioCallsPerVerify'),
      ioCallsPerHealth: middle('ioCallsPerHealth'),
    };
  });

await runBench({
  help,
  options: {
    rounds: number(3, { max: 100 }),
    seconds: number(10, { max: 600 }),
    rate: number(400, { max: 20_000 }),
    against: optionalText,
  },
  measures: 'times',
  run: async ({ values: { rounds, seconds, rate, against } }, stack) => {
    const targets = await startAll(stack, against);
    const wanted = { seconds, perSecond: rate };
    say('Warming up');
    // Each process compiles its own hot path, so each must have seen as many requests before the first round counts.
    for (const target of targets)
      for (let time = 0; time < target.workers; time++) await load(target, '/auth/verify', wanted);
    const look = watchStrangers();
    const blocks = await dealRounds(
      Object.fromEntries(targets.map((target) => [target.name, () => measure(target, wanted)])),
      rounds,
    );
    const conditions = look();
    const medians = summarise(blocks);
    const [first, second] = medians;
    const ratio = (figure: 'serviceCpuUs' | 'serviceCpuUsBeyondIdle'): number =>
      round((second?.[figure] ?? 0) / (first?.[figure] ?? 0), 3);
    return {
      figures: {
        postgres: targets.find(({ database }) => database !== undefined)?.database?.server.version,
        rate,
        seconds,
        connections,
        rounds: blocks,
        medians,
        ratioOfMedians: ratio('serviceCpuUs'),
        ratioOfMediansBeyondIdle: ratio('serviceCpuUsBeyondIdle'),
      },
      table: table(
        ['target', 'CPU µs', 'beyond idle', 'PostgreSQL µs', 'transactions', 'I/O calls', 'of /health/live'],
        medians.map((one) => Object.values(one)),
      ),
      conditions,
    };
  },
});
