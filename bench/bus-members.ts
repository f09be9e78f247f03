/**
 * What many members on one Redis cost: `node bench/bus-members.ts --help`.
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { systemClocks } from '@catalytic/guard/clocks';
import { View } from '@catalytic/guard/view';
import type { MemberId } from '@catalytic/protocol/ids';
import type { JournalEntry } from '@catalytic/protocol/journal';
import { TargetProcesses } from '../packages/lab/src/probes/target-process.ts';
import { RedisBus } from '../packages/server/src/bus/redis-bus.ts';
import { redisPlace } from '../packages/server/src/bus/redis-place.ts';
import { readConfig } from '../packages/server/src/config/read-config.ts';
import { Barrier } from '../packages/server/src/features/revocation/barrier.ts';
import { type Redis, startRedis } from '../tests/harness/redis.ts';
import { percentile, round } from './figures.ts';
import { machine, report, say, takeTurn } from './setting.ts';

const help = `Lets many members hear and acknowledge revocations over one real Redis, all of them revoking in turn: the real bus, barrier and view, many
members in each of a few processes. There is no database: what is measured is the bus. Prints, as JSON, how long a revocation takes until
every member has acknowledged it, and what it costs Redis and the members.

  node bench/bus-members.ts                                  8, 32 and 100 members, 50 and 500 revocations a second, 10 s each
  node bench/bus-members.ts --members 100 --rates 1000,2000  others
  node bench/bus-members.ts --processes 2 --seconds 20
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    members: { type: 'string', default: '8,32,100' },
    rates: { type: 'string', default: '50,500' },
    seconds: { type: 'string', default: '10' },
    processes: { type: 'string', default: '4' },
  },
});
const [seconds, processes] = [Number(values.seconds), Number(values.processes)];
/** The barrier looks at the rows after this time; here nobody writes one, so what the bus loses is seen as a revocation that is not complete. */
const answerMs = 5000;
const leaseMs = 30_000;

/** What one process is told to be. */
interface Job {
  readonly redisUrl: string;
  readonly key: string;
  /** Everybody. */
  readonly members: readonly MemberId[];
  /** Those in this process. */
  readonly mine: readonly MemberId[];
  /** Revocations a second of this process. */
  readonly rate: number;
}

/** What one process has seen. */
interface Outcome {
  readonly tookMs: readonly number[];
  readonly pending: number;
  readonly cpuMicros: number;
  readonly sent: number;
  readonly heard: number;
}

const entry = (): JournalEntry =>
  ({
    id: randomUUID(),
    kind: 'session',
    key: randomUUID(),
    keepUntilMs: Date.now() + 60_000,
  }) as unknown as JournalEntry;

/** One member: a real bus, view and barrier. */
const memberOf = ({ redisUrl, key, members }: Job, id: MemberId, count: { sent: number; heard: number }) => {
  const place = redisPlace(readConfig({}, undefined, { REDIS_URL: redisUrl }));
  if (place === undefined) throw new Error('There is no Redis');
  const view = new View();
  const bus = new RedisBus({
    place,
    key: Buffer.from(key, 'base64'),
    observer: {
      up: () => {},
      roundTrip: () => {},
      message: (direction, kind) => {
        if (kind === 'hint' && direction === 'sent') count.sent += 1;
        if (kind === 'hint' && direction === 'heard') count.heard += 1;
      },
    },
    onProblem: (message, error) => say(`${message}: ${error ?? ''}`),
  });
  const barrier = new Barrier({
    reader: { memberIds: [id], hear: (entries) => view.apply(entries), settle: () => {} },
    bus,
    members: {
      list: async () => members.map((member) => ({ id: member, state: 'live', leaseMs, applied: null })),
      markLeaving: async () => {},
      remove: async () => {},
      covers: () => false,
    },
    clocks: systemClocks,
    answerMs,
    onProblem: () => {},
  });
  bus.start();
  return { bus, barrier };
};

/** Does the work of one process: says when its members are up, revokes when told to, says what it has seen. */
const work = (): void => {
  process.once('message', async (job: Job) => {
    const count = { sent: 0, heard: 0 };
    const all = job.mine.map((id) => memberOf(job, id, count));
    while (!all.every(({ bus }) => bus.isUp)) await delay(10);
    process.send?.('up');
    process.once('message', async () => {
      Object.assign(count, { sent: 0, heard: 0 });
      const before = process.cpuUsage();
      const tookMs: number[] = [];
      let pending = 0;
      const beganMs = performance.now();
      const one = async (index: number): Promise<void> => {
        await delay(Math.max(0, beganMs + (1000 * (index + Math.random())) / job.rate - performance.now()));
        const sentMs = performance.now();
        const { barrier } = all[index % all.length] as (typeof all)[number];
        const { propagation } = await barrier.settle({ entries: [entry()], position: '1' });
        if (propagation === 'complete') tookMs.push(performance.now() - sentMs);
        else pending += 1;
      };
      await Promise.all(Array.from({ length: Math.round(job.rate * seconds) }, (_, index) => one(index)));
      const { user, system } = process.cpuUsage(before);
      process.send?.({ tookMs, pending, cpuMicros: user + system, ...count } satisfies Outcome);
      process.once('message', async () => {
        await Promise.all(all.map(({ bus }) => bus.close()));
        process.disconnect?.();
      });
    });
  });
};

const nextMessage = <Value>(child: ChildProcess): Promise<Value> =>
  new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as Value));
    child.once('exit', (code) => reject(new Error(`A process of members ended with code ${code}`)));
  });

const statOf = async (redis: Redis, name: string): Promise<number> =>
  Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(String(await redis.command('INFO', 'stats')))?.[1] ?? 0);

const usage = async (redis: Redis) => ({
  cpuMicros: 1e6 * (new TargetProcesses(redis.pid).read({ search: true })?.cpuSeconds ?? 0),
  commands: await statOf(redis, 'total_commands_processed'),
  bytesIn: await statOf(redis, 'total_net_input_bytes'),
  bytesOut: await statOf(redis, 'total_net_output_bytes'),
});

const measure = async (members: number, rate: number): Promise<object> => {
  await using redis = await startRedis();
  const key = randomBytes(32).toString('base64');
  const ids = Array.from({ length: members }, () => randomUUID() as unknown as MemberId);
  const children = Array.from({ length: processes }, () =>
    fork(fileURLToPath(import.meta.url), process.argv.slice(2), { env: { ...process.env, BUS_MEMBERS_WORK: '1' } }),
  );
  try {
    const ups = children.map((child) => nextMessage(child));
    for (const [index, child] of children.entries()) {
      const mine = ids.filter((_, number) => number % processes === index);
      child.send({ redisUrl: redis.url, key, members: ids, mine, rate: rate / processes } satisfies Job);
    }
    await Promise.all(ups);
    say(`${members} members are up; revoking ${rate} times a second for ${seconds} s …`);
    const before = await usage(redis);
    const beganMs = performance.now();
    const ends = children.map((child) => nextMessage<Outcome>(child));
    for (const child of children) child.send('revoke');
    const outcomes = await Promise.all(ends);
    const tookSeconds = (performance.now() - beganMs) / 1000;
    const after = await usage(redis);
    for (const child of children) child.send('end');
    return summarise(members, rate, tookSeconds, outcomes, before, after);
  } finally {
    await delay(300);
    for (const child of children) child.kill('SIGKILL');
  }
};

type Usage = Awaited<ReturnType<typeof usage>>;

const summarise = (
  members: number,
  rate: number,
  tookSeconds: number,
  outcomes: readonly Outcome[],
  before: Usage,
  after: Usage,
): object => {
  const sum = (of: (outcome: Outcome) => number): number => outcomes.reduce((total, one) => total + of(one), 0);
  const took = outcomes.flatMap(({ tookMs }) => tookMs);
  const at = (share: number): number => round(percentile(took, share), 2);
  const revocations = took.length + sum(({ pending }) => pending);
  const used = (name: keyof Usage): number => after[name] - before[name];
  return {
    members,
    revocations_per_second: rate,
    revocations,
    not_complete: sum(({ pending }) => pending),
    acknowledged_by_all_ms: { p50: at(0.5), p99: at(0.99), max: at(1) },
    hints_per_second: round(sum(({ sent }) => sent) / tookSeconds, 0),
    deliveries_per_second: round(sum(({ heard }) => heard) / tookSeconds, 0),
    redis: {
      cpu_percent_of_a_core: round((100 * used('cpuMicros')) / (1e6 * tookSeconds)),
      cpu_us_per_revocation: round(used('cpuMicros') / revocations, 0),
      commands_per_revocation: round(used('commands') / revocations, 1),
      bytes_in_per_revocation: round(used('bytesIn') / revocations, 0),
      bytes_out_per_revocation: round(used('bytesOut') / revocations, 0),
    },
    each_member: {
      cpu_percent_of_a_core: round((100 * sum(({ cpuMicros }) => cpuMicros)) / (1e6 * tookSeconds * members), 2),
      cpu_us_per_revocation: round(sum(({ cpuMicros }) => cpuMicros) / (revocations * members), 0),
    },
  };
};

const run = async (): Promise<void> => {
  takeTurn();
  const results: object[] = [];
  for (const members of values.members.split(',').map(Number))
    for (const rate of values.rates.split(',').map(Number)) results.push(await measure(members, rate));
  report({ machine: machine(), seconds, processes, results });
};

if (values.help) process.stdout.write(help);
else if (process.env['BUS_MEMBERS_WORK'] === '1') work();
else await run();
