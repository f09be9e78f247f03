/**
 * How fast does a sign-out spread, by each way that hints have, and what does it cost?
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readCpuTimes } from '../packages/lab/src/probes/machine.ts';
import { Deployment } from '../tests/faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../tests/faults/pinned-worker.ts';
import { runBench } from './harness/bench.ts';
import { latencies, median, round, table } from './harness/figures.ts';
import { number, RefusedError, text } from './harness/options.ts';
import { cpuSecondsOfTree } from './harness/processes.ts';
import { machine, say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { openLoop } from './loads/open-loop.ts';
import { signInOn } from './loads/sessions.ts';

const help = `Signs sessions out at a fixed rate on PostgreSQL and measures how long an answer takes, how long it takes from the sending of a
sign-out until the slowest worker refuses the token, and what it costs in CPU time and in Redis. Each way that hints can have is measured:

  supervisor            one machine of 4 workers, no Redis
  supervisor and Redis  the same with Redis
  Redis                 4 machines of 1 worker, Redis between them
  two machines          2 machines of 2 workers, Redis between them
  nothing               4 machines of 1 worker and no Redis: the journal brings everything

  npm run bench -- propagation                    50 sign-outs a second for 30 s, each way
  npm run bench -- propagation --rate 500         another rate
  npm run bench -- propagation --way Redis        only the ways whose names contain this text
  npm run bench -- propagation --rounds 3         every way this many times, in random order
  npm run bench -- propagation --seconds 10 --lease 5000

Every tenth sign-out is probed: each worker is asked every 2 ms until it refuses.
`;

const ways: Readonly<Record<string, { readonly machines: readonly number[]; readonly redis: boolean }>> = {
  supervisor: { machines: [4], redis: false },
  'supervisor and Redis': { machines: [4], redis: true },
  Redis: { machines: [1, 1, 1, 1], redis: true },
  'two machines': { machines: [2, 2], redis: true },
  nothing: { machines: [1, 1, 1, 1], redis: false },
};
const probeEvery = 10;
const probePauseMs = 2;
const connectionsEach = 40;
/** Sign-outs before the first that counts: each process compiles its own path. */
const warmUpSignOuts = 400;

/** Until this worker refuses, milliseconds since the sign-out was sent. */
const refusedAfter = async (worker: PinnedWorker, token: string, sentMs: number): Promise<number> => {
  for (;;) {
    const { status } = await worker.send('GET', '/auth/verify', { token });
    if (status === 401) return performance.now() - sentMs;
    await delay(probePauseMs);
  }
};

const signOut = async (all: readonly PinnedWorker[], tokens: readonly string[], perSecond: number) => {
  const answers: Record<string, number> = {};
  const [answerMs, refusedMs, lateMs]: [number[], number[], number[]] = [[], [], []];
  let violations = 0;
  const one = async (index: number, dueMs: number): Promise<void> => {
    const token = tokens[index] as string;
    const sentMs = performance.now();
    lateMs.push(sentMs - dueMs);
    const probes = index % probeEvery === 0 ? all.map((worker) => refusedAfter(worker, token, sentMs)) : [];
    const { status } = await (all[index % all.length] as PinnedWorker).send('POST', '/auth/logout', { token });
    answerMs.push(performance.now() - sentMs);
    answers[status] = (answers[status] ?? 0) + 1;
    if (status === 200 && index % probeEvery === 5)
      for (const worker of all)
        if ((await worker.send('GET', '/auth/verify', { token })).status === 200) violations += 1;
    if (probes.length > 0) refusedMs.push(Math.max(...(await Promise.all(probes))));
  };
  await Promise.all(await openLoop(perSecond, tokens.length, one));
  return {
    answers,
    answer: latencies(answerMs),
    refusedByTheSlowestWorker: latencies(refusedMs),
    sentLate: latencies(lateMs),
    violations,
  };
};

const infoOf = async (deployment: Deployment, section: string, name: string): Promise<number> => {
  if (deployment.options.redis !== true) return 0;
  const text = String(await deployment.redis.command('INFO', section));
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(text)?.[1] ?? 0);
};

/** What everything has used so far. */
const usage = async (deployment: Deployment) => {
  const { user, system } = process.cpuUsage();
  const times = readCpuTimes();
  return {
    generator: (user + system) / 1e6,
    service: deployment.machines.reduce((sum, { supervisor }) => sum + cpuSecondsOfTree(supervisor), 0),
    postgres: cpuSecondsOfTree(deployment.postgres.pid),
    redis: deployment.options.redis === true ? cpuSecondsOfTree(deployment.redis.pid) : 0,
    redisCommands: await infoOf(deployment, 'stats', 'total_commands_processed'),
    redisBytesIn: await infoOf(deployment, 'stats', 'total_net_input_bytes'),
    redisBytesOut: await infoOf(deployment, 'stats', 'total_net_output_bytes'),
    machineBusy: (times?.busy ?? 0) + (times?.steal ?? 0),
    atMs: performance.now(),
  };
};
type Usage = Awaited<ReturnType<typeof usage>>;

const costs = (before: Usage, after: Usage, signOuts: number) => {
  const used = (name: keyof Usage): number => after[name] - before[name];
  const ours = used('generator') + used('service') + used('postgres') + used('redis');
  const coreSeconds = (used('atMs') / 1000) * machine.cores;
  const micros = (name: keyof Usage): number => round((1e6 * used(name)) / signOuts, 0);
  return {
    cpuUsPerSignOut: {
      service: micros('service'),
      postgres: micros('postgres'),
      redis: micros('redis'),
      generator: micros('generator'),
    },
    redisPerSignOut: {
      commands: round(used('redisCommands') / signOuts, 2),
      bytesIn: round(used('redisBytesIn') / signOuts, 0),
      bytesOut: round(used('redisBytesOut') / signOuts, 0),
    },
    cpuBusyPercent: round((100 * used('machineBusy')) / coreSeconds),
    cpuOfOthersPercent: round((100 * (used('machineBusy') - ours)) / coreSeconds),
  };
};

interface Run {
  readonly rate: number;
  readonly seconds: number;
  readonly leaseMs: number;
}

const measure = async (name: string, { rate, seconds, leaseMs }: Run) => {
  const way = ways[name] as (typeof ways)[string];
  await using deployment = await Deployment.start({ ...way, leaseMs, answerMs: 1000, isDirect: true });
  for (const worker of await deployment.healthy()) await worker.close();
  const pinned = deployment.machines.map(({ url, workers, number: machineNumber }) =>
    pinWorkers(url, workers, connectionsEach, machineNumber),
  );
  const all = (await Promise.all(pinned)).flat();
  const marks = (): number =>
    deployment.machines.reduce((sum, each) => sum + each.output().split('were marked as leaving').length - 1, 0);
  const count = Math.round(rate * seconds);
  say(`${name}: signing in ${count} sessions …`);
  await signOut(all, await signInOn(deployment, all, warmUpSignOuts), rate);
  const tokens = await signInOn(deployment, all, count);
  await delay(1000);
  const [marked, before] = [marks(), await usage(deployment)];
  say(`${name}: signing out ${rate} a second for ${seconds} s …`);
  const result = await signOut(all, tokens, rate);
  const cost = costs(before, await usage(deployment), tokens.length);
  await Promise.all(all.map((worker) => worker.close()));
  return { ...result, timesMembersWereMarked: marks() - marked, ...cost };
};
type Block = Awaited<ReturnType<typeof measure>>;

const tableOf = (results: ReadonlyMap<string, readonly Block[]>): string =>
  table(
    [
      'way',
      'answer p50 ms',
      'p99 ms',
      'refused everywhere p50 ms',
      'p99 ms',
      'violations',
      'service CPU µs',
      'Redis µs',
    ],
    [...results].map(([name, all]) => {
      const middle = (of: (block: Block) => number): number => median(all.map(of));
      return [
        name,
        middle(({ answer }) => answer.p50Ms),
        middle(({ answer }) => answer.p99Ms),
        middle((block) => block.refusedByTheSlowestWorker.p50Ms),
        middle((block) => block.refusedByTheSlowestWorker.p99Ms),
        all.reduce((sum, { violations }) => sum + violations, 0),
        middle((block) => block.cpuUsPerSignOut.service),
        middle((block) => block.cpuUsPerSignOut.redis),
      ];
    }),
  );

await runBench({
  help,
  options: {
    rate: number(50, { max: 5000 }),
    seconds: number(30, { max: 600 }),
    rounds: number(1, { max: 100 }),
    way: text(''),
    lease: number(5000, { min: 100, max: 60_000 }),
  },
  measures: 'times',
  run: async ({ values: { rate, seconds, rounds, way, lease: leaseMs } }) => {
    const chosen = Object.keys(ways).filter((name) => name.includes(way));
    if (chosen.length === 0)
      throw new RefusedError(`There is no way "${way}": there are ${Object.keys(ways).join(', ')}`);
    const results = await dealRounds(
      Object.fromEntries(chosen.map((name) => [name, () => measure(name, { rate, seconds, leaseMs })])),
      rounds,
    );
    const violations = [...results.values()].flat().reduce((sum, block) => sum + block.violations, 0);
    return {
      figures: { rate, seconds, leaseMs, results },
      table: tableOf(results),
      missed: violations === 0 ? [] : [`${violations} tokens were accepted after their sign-out had answered 200`],
    };
  },
});
