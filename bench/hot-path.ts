/**
 * What one verify costs, in CPU time and in calls of the store: one process on SQLite against four workers on PostgreSQL, in turns.
 * @module
 */
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Client } from 'undici';
import { treeOf } from '../packages/lab/src/faults/process-tree.ts';
import { importAccounts } from '../tests/harness/accounts.ts';
import { signIn } from '../tests/harness/client.ts';
import { type Redis, startRedis } from '../tests/harness/redis.ts';
import { removeFolder, type Service, startService, temporaryFolder } from '../tests/harness/service.ts';
import { cpuSecondsOfTree } from './cpu.ts';
import { median, round } from './figures.ts';
import { type BenchDatabase, insteadOf, machine, report, say, spread, startDatabase } from './setting.ts';

const help = `What one GET /auth/verify costs: one process on SQLite against four workers on PostgreSQL, in turns, at a fixed rate.

  node bench/hot-path.ts [--rounds 3] [--seconds 10] [--rate 400]
  node bench/hot-path.ts --against CHECKOUT        four workers on PostgreSQL of another checkout, against these with Redis

CPU time of the service (supervisor and workers) and of PostgreSQL, gross and beyond what an idle interval of the same length costs; transactions
of PostgreSQL; read and write calls of the service (sockets and files) beside those of GET /health/live, which asks no store. About 5 minutes.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '400' },
    against: { type: 'string' },
  },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);

const connections = 16;
const sessions = 20;
/** PostgreSQL writes its counters down a second late, at most. */
const countersMs = 1500;

interface Job {
  readonly url: string;
  readonly path: string;
  readonly tokens: readonly string[];
}

/** Sends requests at the rate over connections that stay open; workers take connections in turn. Returns how many were answered. */
const load = async ({ url, path, tokens }: Job): Promise<number> => {
  const clients = Array.from({ length: connections }, () => new Client(url, { pipelining: 1 }));
  const send = async (index: number): Promise<void> => {
    const { statusCode, body } = await (clients[index % connections] as Client).request({
      method: 'GET',
      path,
      headers: { authorization: `Bearer ${tokens[index % tokens.length]}` },
    });
    await body.dump();
    if (statusCode !== 200) throw new Error(`GET ${path}: status ${statusCode}`);
  };
  // One after another, so that no two connections are taken by the same worker in one turn.
  for (let index = 0; index < connections; index++) await send(index);
  const count = rate * seconds;
  const pending: Promise<void>[] = [];
  const beganMs = performance.now();
  for (let index = 0; index < count; await delay(5)) {
    const due = Math.min(count, Math.ceil(((performance.now() - beganMs) / 1000) * rate));
    for (; index < due; index++) pending.push(send(index));
  }
  await Promise.all(pending);
  await Promise.all(clients.map((client) => client.close()));
  return count + connections;
};

/** The load, from a process of its own. */
const loadFrom = (job: Job): Promise<number> => {
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
    env: { ...process.env, HOT_PATH_LOAD: '1' },
  });
  child.send(job);
  return new Promise((resolve, reject) => {
    child.once('message', (requests) => {
      child.disconnect();
      resolve(Number(requests));
    });
    child.once('exit', (code) => reject(new Error(`The load ended with code ${code}`)));
  });
};

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

const start = async (name: string, { database, redis, checkout }: Kind): Promise<Target> => {
  const dataDir = temporaryFolder();
  const workers = database === undefined ? 1 : 4;
  const settings = {
    ...(database && { DATABASE_URL: database.url, WORKERS: workers }),
    ...(redis && { REDIS_URL: redis.url }),
    LOGIN_CACHE_SECONDS: 3600,
    ACCESS_TOKEN_SECONDS: 86_400,
  };
  const service = await startService(dataDir, settings, checkout === undefined ? [] : insteadOf(checkout));
  await importAccounts(service.url, dataDir, ['hot@example.com']);
  const signIns = Array.from({ length: sessions });
  const tokens = await spread(signIns, 2, () => signIn(service.url, 'hot@example.com', undefined, 'lab'));
  return { name, workers, service, database, tokens: tokens.map(({ access }) => access) };
};

/** Read and write calls of a whole tree, of sockets too. */
const ioCalls = (pid: number): number =>
  treeOf(pid).reduce((sum, member) => {
    const text = readFileSync(`/proc/${member.pid}/io`, 'latin1');
    return [...text.matchAll(/^sysc[rw]: (\d+)$/gm)].reduce((calls, [, count]) => calls + Number(count), sum);
  }, 0);

type Counts = Readonly<Record<'service' | 'postgres' | 'transactions' | 'io', number>>;

const count = async ({ service, database }: Target): Promise<Counts> => {
  const pid = service.process.pid ?? 0;
  const cpu = { service: cpuSecondsOfTree(pid), postgres: cpuSecondsOfTree(database?.server.pid), io: ioCalls(pid) };
  await delay(countersMs);
  const statement = `select xact_commit from pg_stat_database where datname = 'catalytic'`;
  return { ...cpu, transactions: Number((await database?.sql(statement))?.[0]?.[0] ?? 0) };
};

/** What happens in the target while something else does. */
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

const measure = async (target: Target) => {
  const { service, tokens } = target;
  const ask = (path: string) => during(target, () => loadFrom({ url: service.url, path, tokens }));
  const idle = await during(target, async () => {
    await delay(seconds * 1000);
    return 1;
  });
  const verify = await ask('/auth/verify');
  const live = await ask('/health/live');
  const perRequest = (name: keyof Counts): number => verify[name] / verify.requests;
  const beyondIdle = (name: keyof Counts): number => (verify[name] - idle[name]) / verify.requests;
  return {
    target: target.name,
    requests: verify.requests,
    serviceCpuMicros: round(perRequest('service') * 1e6),
    serviceCpuMicrosBeyondIdle: round(beyondIdle('service') * 1e6),
    postgresCpuMicrosBeyondIdle: round(beyondIdle('postgres') * 1e6),
    transactionsPerVerify: round(beyondIdle('transactions'), 4),
    ioCallsPerVerify: round(beyondIdle('io'), 3),
    ioCallsPerHealth: round((live.io - idle.io) / live.requests, 3),
  };
};

const main = async (): Promise<void> => {
  await using database = await startDatabase();
  await using other = await startDatabase();
  await using redis = await startRedis();
  const targets: Target[] = [];
  try {
    const { against } = values;
    if (against === undefined)
      targets.push(await start('1 process, SQLite', {}), await start('4 workers, PostgreSQL', { database }));
    else
      targets.push(
        await start('4 workers, PostgreSQL, the other checkout', { database: other, checkout: against }),
        await start('4 workers, PostgreSQL, Redis', { database, redis }),
      );
    say('Warming up');
    // Each process compiles its own hot path: each must have seen as many requests before the first round counts.
    for (const { service, tokens, workers: times } of targets)
      for (let time = 0; time < times; time++) await loadFrom({ url: service.url, path: '/auth/verify', tokens });
    const rounds: Awaited<ReturnType<typeof measure>>[] = [];
    for (let number = 1; number <= Number(values.rounds); number++)
      for (const target of targets) {
        say(`Round ${number}: ${target.name}`);
        rounds.push(await measure(target));
      }
    const middle = (name: string, figure: 'serviceCpuMicros' | 'serviceCpuMicrosBeyondIdle'): number =>
      median(rounds.filter((one) => one.target === name).map((one) => one[figure]));
    const ratio = (figure: 'serviceCpuMicros' | 'serviceCpuMicrosBeyondIdle'): number => {
      const [first = 0, second = 0] = targets.map(({ name }) => middle(name, figure));
      return round(second / first, 3);
    };
    report({
      machine: machine(),
      postgres: database.server.version,
      rate,
      seconds,
      connections,
      rounds,
      ratioOfMedians: ratio('serviceCpuMicros'),
      ratioOfMediansBeyondIdle: ratio('serviceCpuMicrosBeyondIdle'),
    });
  } finally {
    for (const { service } of targets) {
      await service.end();
      removeFolder(service.dataDir);
    }
  }
};

if (values.help === true) process.stdout.write(help);
else if (process.env['HOT_PATH_LOAD'] === '1')
  process.once('message', async (job) => {
    process.send?.(await load(job as Job));
  });
else await main();
