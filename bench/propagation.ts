/**
 * How fast a sign-out spreads, by the ways that hints have, and what it costs: `node bench/propagation.ts --help`.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readCpuTimes } from '../packages/lab/src/probes/machine.ts';
import { Deployment } from '../tests/faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../tests/faults/pinned-worker.ts';
import { goodPassword } from '../tests/harness/client.ts';
import { cpuSecondsOfTree } from './cpu.ts';
import { latencies, round } from './figures.ts';
import { machine, report, say, takeTurn } from './setting.ts';

const help = `Signs sessions out at a fixed rate on PostgreSQL and prints, as JSON, how long an answer takes, how long it takes from the sending of a
sign-out until the slowest worker refuses the token, what it costs in CPU, and what it costs Redis. Every way that hints can have is measured:

  supervisor            one machine of 4 workers, no Redis
  supervisor and Redis  the same with Redis
  Redis                 4 machines of 1 worker, Redis between them
  two machines          2 machines of 2 workers, Redis between them
  nothing               4 machines of 1 worker and no Redis: the journal brings everything

  node bench/propagation.ts                       50 sign-outs a second for 30 s, each way
  node bench/propagation.ts --rate 500            another rate
  node bench/propagation.ts --way Redis           only the ways whose names hold this text
  node bench/propagation.ts --rounds 3            every way so often, in turns
  node bench/propagation.ts --seconds 10 --lease 5000

Every tenth sign-out is probed: each worker is asked every 2 ms until it refuses.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    rounds: { type: 'string', default: '1' },
    way: { type: 'string', default: '' },
    lease: { type: 'string', default: '5000' },
  },
});
const [rate, seconds, rounds, leaseMs] = [values.rate, values.seconds, values.rounds, values.lease].map(Number) as [
  number,
  number,
  number,
  number,
];
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
const loginsAtOnce = 32;
/** Sign-outs before the first that counts: each process compiles its own path. */
const warmUpSignOuts = 400;

const signIn = async (deployment: Deployment, all: readonly PinnedWorker[], count: number): Promise<string[]> => {
  const tokens: string[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) {
      const worker = all[index % all.length] as PinnedWorker;
      const { status, body } = await worker.send('POST', '/auth/login', {
        body: { email: deployment.email(index), password: goodPassword, tenant: 'lab' },
      });
      if (status === 200) tokens.push(String(body['access_token']));
      else await delay(20);
    }
  };
  await Promise.all(Array.from({ length: loginsAtOnce }, one));
  return tokens;
};

/** Until this worker refuses, milliseconds since the sign-out was sent. */
const refusedAfter = async (worker: PinnedWorker, token: string, sentMs: number): Promise<number> => {
  for (;;) {
    const { status } = await worker.send('GET', '/auth/verify', { token });
    if (status === 401) return performance.now() - sentMs;
    await delay(probePauseMs);
  }
};

const signOut = async (all: readonly PinnedWorker[], tokens: readonly string[]): Promise<object> => {
  const answers: Record<string, number> = {};
  const [answerMs, refusedMs, lateMs]: [number[], number[], number[]] = [[], [], []];
  let violations = 0;
  const began = performance.now();
  const one = async (token: string, index: number): Promise<void> => {
    const dueMs = began + (1000 * index) / rate;
    await delay(Math.max(0, dueMs - performance.now()));
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
  await Promise.all(tokens.map(one));
  return {
    answers,
    answer: latencies(answerMs),
    refused_by_the_slowest_worker: latencies(refusedMs),
    sent_late: latencies(lateMs),
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

const costs = (before: Usage, after: Usage, signOuts: number): object => {
  const used = (name: keyof Usage): number => after[name] - before[name];
  const ours = used('generator') + used('service') + used('postgres') + used('redis');
  const coreSeconds = (used('atMs') / 1000) * machine().cores;
  const micros = (name: keyof Usage): number => round((1e6 * used(name)) / signOuts, 0);
  return {
    cpu_us_per_sign_out: {
      service: micros('service'),
      postgres: micros('postgres'),
      redis: micros('redis'),
      generator: micros('generator'),
    },
    redis_per_sign_out: {
      commands: round(used('redisCommands') / signOuts, 2),
      bytes_in: round(used('redisBytesIn') / signOuts, 0),
      bytes_out: round(used('redisBytesOut') / signOuts, 0),
    },
    cpu_busy_percent: round((100 * used('machineBusy')) / coreSeconds),
    cpu_of_others_percent: round((100 * (used('machineBusy') - ours)) / coreSeconds),
  };
};

const measure = async (name: string): Promise<object> => {
  const way = ways[name] as (typeof ways)[string];
  await using deployment = await Deployment.start({ ...way, leaseMs, answerMs: 1000, isDirect: true });
  for (const worker of await deployment.healthy()) await worker.close();
  const pinned = deployment.machines.map(({ url, workers, number }) =>
    pinWorkers(url, workers, connectionsEach, number),
  );
  const all = (await Promise.all(pinned)).flat();
  const marks = (): number =>
    deployment.machines.reduce((sum, each) => sum + each.output().split('were marked as leaving').length - 1, 0);
  say(`${name}: signing in ${rate * seconds} sessions …`);
  await signOut(all, await signIn(deployment, all, warmUpSignOuts));
  const tokens = await signIn(deployment, all, rate * seconds);
  await delay(1000);
  const [marked, before] = [marks(), await usage(deployment)];
  say(`${name}: signing out ${rate} a second for ${seconds} s …`);
  const result = await signOut(all, tokens);
  const cost = costs(before, await usage(deployment), tokens.length);
  await Promise.all(all.map((worker) => worker.close()));
  return { ...result, times_members_were_marked: marks() - marked, ...cost };
};

const run = async (): Promise<void> => {
  takeTurn();
  const results: Record<string, object[]> = {};
  for (let number = 1; number <= rounds; number++)
    for (const name of Object.keys(ways).filter((each) => each.includes(values.way)))
      results[name] = [...(results[name] ?? []), await measure(name)];
  report({ machine: machine(), rate, seconds, lease_ms: leaseMs, results });
};

if (values.help) process.stdout.write(help);
else await run();
