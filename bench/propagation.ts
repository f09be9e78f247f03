/**
 * How fast a sign-out spreads over the workers of one machine, with the supervisor's hints and without: `node bench/propagation.ts --help`.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { signal } from '../packages/lab/src/faults/process-tree.ts';
import { Deployment } from '../tests/faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../tests/faults/pinned-worker.ts';
import { goodPassword } from '../tests/harness/client.ts';
import { machine, report, round, say } from './setting.ts';

const help = `Signs sessions out at a fixed rate on PostgreSQL with several workers and prints, as JSON, how long an answer takes and how long
it takes from the sending of a sign-out until the slowest worker refuses the token.

  node bench/propagation.ts                       50 sign-outs a second for 30 s, with hints, then without
  node bench/propagation.ts --rate 500            another rate
  node bench/propagation.ts --seconds 10 --workers 4 --lease 5000

Without hints the supervisor is frozen (SIGSTOP) while sign-outs run: hints and acknowledgements do not travel, connections that are open
are served as before. Every tenth sign-out is probed: each worker is asked every 2 ms until it refuses.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', default: false },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    workers: { type: 'string', default: '4' },
    lease: { type: 'string', default: '5000' },
  },
});
const [rate, seconds, workers, leaseMs] = [values.rate, values.seconds, values.workers, values.lease].map(Number) as [
  number,
  number,
  number,
  number,
];
const probeEvery = 10;
const probePauseMs = 2;
const connectionsEach = 40;
const loginsAtOnce = 32;

const percentiles = (samples: readonly number[]): object => {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0, 2);
  return { samples: sorted.length, p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
};

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

const measure = async (all: readonly PinnedWorker[], tokens: readonly string[]): Promise<object> => {
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
    answer: percentiles(answerMs),
    refused_by_the_slowest_worker: percentiles(refusedMs),
    sent_late: percentiles(lateMs),
    violations,
  };
};

const run = async (): Promise<void> => {
  await using deployment = await Deployment.start({ machines: [workers], leaseMs, answerMs: 1000 });
  (await deployment.healthy()).map((worker) => worker.close());
  const all = await pinWorkers(deployment.service.url, workers, connectionsEach);
  const supervisor = deployment.service.process.pid ?? 0;
  const marks = (): number => deployment.service.output().split('were marked as leaving').length - 1;
  const results: Record<string, object> = {};
  for (const name of ['with hints', 'without hints']) {
    say(`${name}: signing in ${rate * seconds} sessions …`);
    const tokens = await signIn(deployment, all, rate * seconds);
    const before = marks();
    if (name === 'without hints') signal(supervisor, 'SIGSTOP');
    say(`${name}: signing out ${rate} a second for ${seconds} s …`);
    try {
      results[name] = { ...(await measure(all, tokens)), times_members_were_marked: marks() - before };
    } finally {
      signal(supervisor, 'SIGCONT');
    }
  }
  await Promise.all(all.map((worker) => worker.close()));
  report({ machine: machine(), rate, seconds, workers, lease_ms: leaseMs, ...results });
};

if (values.help) process.stdout.write(help);
else await run();
