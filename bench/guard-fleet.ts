/**
 * What does a fleet of guards cost the service, and how does a guard start beside a million revocations?
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Deployment } from '../tests/faults/deployment.ts';
import { type PinnedWorker, pinWorkers } from '../tests/faults/pinned-worker.ts';
import { get } from '../tests/harness/client.ts';
import { startHaproxy } from '../tests/harness/haproxy.ts';
import { readMetrics } from '../tests/harness/metrics.ts';
import { operateUrlOf } from '../tests/harness/operate-url.ts';
import { runBench } from './harness/bench.ts';
import { startChild } from './harness/child.ts';
import { largest, latencies, round, table } from './harness/figures.ts';
import { number, numbers } from './harness/options.ts';
import { cpuSecondsOfTree, residentMib } from './harness/processes.ts';
import { say } from './harness/result.ts';
import type { GuardsTasks } from './loads/guards-process.ts';
import { openLoop } from './loads/open-loop.ts';
import type { PollersTasks, PollersUsage } from './loads/pollers-process.ts';
import { signInOn } from './loads/sessions.ts';

const help = `Has many guards ask two machines with a worker each, on PostgreSQL and Redis, through a HAProxy that deals request by request, and measures what
that costs the service: CPU time and bytes, at rest and while sessions are signed out. The guards only ask and note the cursor. "Full pages" are answers from
the beginning of the journal: one for each guard that starts, and each further one is a place that was lost. Then fills the journal and starts one real guard.

  npm run bench -- guard-fleet                                   0, 10, 100 and 1,000 following, 100 strict; at rest, 20 and 200 sign-outs a second
  npm run bench -- guard-fleet --follow 0,10 --strict 0 --rates 0,20 --seconds 10 --entries 0

About 8 minutes; needs HAProxy and Redis, and about 3 GB for a million entries (--entries 0 leaves that out).
`;

const issuer = 'https://id.example';
const leaseMs = 5000;
const connectionsEach = 40;
/** Time in which guards settle to their pace. */
const restMs = 1500;
const pingEveryMs = 5;

interface Place {
  readonly deployment: Deployment;
  readonly workers: readonly PinnedWorker[];
  readonly url: string;
  readonly key: string;
}

const signIn = ({ deployment, workers }: Place, count: number): Promise<readonly string[]> =>
  signInOn(deployment, workers, count);

const usageOf = ({ deployment: { machines, postgres } }: Place) => ({
  service: machines.reduce((sum, { supervisor }) => sum + cpuSecondsOfTree(supervisor), 0),
  postgres: cpuSecondsOfTree(postgres.pid),
  atMs: performance.now(),
});

/** Answers to polls from the beginning of the journal, of all workers since they started. */
const fullPagesOf = async ({ deployment: { machines } }: Place): Promise<number> => {
  const pages = await Promise.all(machines.map(({ service }) => get(`${operateUrlOf(service)}/metrics`)));
  return pages
    .flatMap(({ text }) => [...readMetrics(text)])
    .filter(([series]) => /^catalytic_guard_pages_total\{.*kind="load"/.test(series))
    .reduce((sum, [, count]) => sum + count, 0);
};

const nothingAsked: PollersUsage = { polls: 0, failures: 0, entries: 0, bytesIn: 0, bytesOut: 0 };

interface Setup {
  readonly guards: number;
  readonly isStrict: boolean;
  readonly rate: number;
  readonly seconds: number;
}

const measure = async (place: Place, { guards, isStrict, rate, seconds }: Setup) => {
  await using stack = new AsyncDisposableStack();
  say(`${guards} ${isStrict ? 'strict' : 'following'}, ${rate} sign-outs a second …`);
  const { url, key, workers } = place;
  const child =
    guards === 0
      ? undefined
      : stack.use(startChild<PollersTasks>(new URL('loads/pollers-process.ts', import.meta.url)));
  const tokens = await signIn(place, rate * seconds);
  const fullBefore = await fullPagesOf(place);
  await child?.ask('start', { url, key, audience: issuer, count: guards, isStrict });
  await delay(restMs);
  const [before, asked] = [usageOf(place), (await child?.ask('usage', undefined)) ?? nothingAsked];
  const statuses: number[] = [];
  const tookMs: number[] = [];
  const one = async (index: number, dueMs: number): Promise<void> => {
    const worker = workers[index % workers.length] as PinnedWorker;
    const { status } = await worker.send('POST', '/auth/logout', { token: tokens[index] as string });
    statuses.push(status);
    tookMs.push(performance.now() - dueMs);
  };
  if (rate === 0) await delay(seconds * 1000);
  else await Promise.all(await openLoop(rate, tokens.length, one));
  const [after, done] = [usageOf(place), (await child?.ask('usage', undefined)) ?? nothingAsked];
  const fullPages = (await fullPagesOf(place)) - fullBefore;
  await child?.ask('stop', undefined);
  const took = (after.atMs - before.atMs) / 1000;
  const perSecond = (name: keyof PollersUsage): number => round((done[name] - asked[name]) / took, 0);
  return {
    ...{ guards, isStrict, rate },
    serviceCorePercent: round((100 * (after.service - before.service)) / took),
    postgresCorePercent: round((100 * (after.postgres - before.postgres)) / took),
    pollsPerSecond: perSecond('polls'),
    entriesPerSecond: perSecond('entries'),
    failures: done.failures - asked.failures,
    fullPages,
    kilobytesToGuardsPerSecond: round(perSecond('bytesIn') / 1000),
    kilobytesFromGuardsPerSecond: round(perSecond('bytesOut') / 1000),
    signOut: latencies(tookMs),
    pending: statuses.filter((status) => status === 202).length,
  };
};

/** Asks each worker again and again. @returns a function that ends it and says how long the slowest answer took */
const pinging = (workers: readonly PinnedWorker[]): (() => Promise<number>) => {
  const times: number[] = [];
  let isOver = false;
  const ping = async (worker: PinnedWorker): Promise<void> => {
    for (; !isOver; await delay(pingEveryMs)) {
      const sentMs = performance.now();
      await worker.send('GET', '/health/live').catch(() => {});
      times.push(performance.now() - sentMs);
    }
  };
  const ends = workers.map(ping);
  return async () => {
    isOver = true;
    await Promise.all(ends);
    return largest(times);
  };
};

const startBeside = async (place: Place, entries: number) => {
  await using stack = new AsyncDisposableStack();
  say(`A guard starts beside ${entries} entries …`);
  const { deployment, url, key, workers } = place;
  await deployment.query(
    `insert into journal (id, kind, key, keep_until)
     select gen_random_uuid(), 'session', gen_random_uuid()::text, (extract(epoch from now()) * 1000)::bigint + 3600000
       from generate_series(1, ${entries})`,
  );
  await deployment.query('analyze journal');
  // Every worker reads them as news of one read.
  await delay(restMs + entries / 50);
  const child = stack.use(startChild<GuardsTasks>(new URL('loads/guards-process.ts', import.meta.url)));
  const options = { mode: 'follow', issuer, audience: issuer, url, key, timeoutMs: 30_000 } as const;
  const pingedMs = pinging(workers);
  const currentMs = await child.ask('start', { count: 1, options });
  const longestPingMs = await pingedMs();
  const residentMb = residentMib(child.pid);
  await child.ask('stop', undefined);
  return {
    entries,
    currentSeconds: round(currentMs / 1000, 2),
    residentMb: round(residentMb, 0),
    longestPingMs: round(longestPingMs),
  };
};

await runBench({
  help,
  options: {
    follow: numbers([0, 10, 100, 1000], { min: 0, max: 5000 }),
    strict: number(100, { min: 0, max: 100 }),
    rates: numbers([0, 20, 200], { min: 0, max: 1000 }),
    seconds: number(10, { max: 600 }),
    entries: number(1_000_000, { min: 0, max: 10_000_000 }),
  },
  measures: 'times',
  run: async ({ values: { follow, strict, rates, seconds, entries } }, stack) => {
    const deployment = stack.use(
      await Deployment.start({ machines: [1, 1], redis: true, leaseMs, answerMs: 1000, isDirect: true, guards: [] }),
    );
    for (const worker of await deployment.healthy()) await worker.close();
    const servers = deployment.machines.map(({ url }) => ({ host: '127.0.0.1', port: Number(new URL(url).port) }));
    const { url } = stack.use(await startHaproxy({ servers }));
    const pinned = deployment.machines.map((machine) => pinWorkers(machine.url, 1, connectionsEach, machine.number));
    const workers = (await Promise.all(pinned)).flat();
    stack.defer(async () => void (await Promise.all(workers.map((worker) => worker.close()))));
    const place: Place = { deployment, workers, url, key: await deployment.addGuardKey() };
    const setups = [
      ...follow.map((guards) => ({ guards, isStrict: false })),
      ...(strict === 0 ? [] : [{ guards: strict, isStrict: true }]),
    ];
    const fleets = [];
    for (const setup of setups)
      for (const rate of rates) fleets.push(await measure(place, { ...setup, rate, seconds }));
    const start = entries === 0 ? undefined : await startBeside(place, entries);
    return {
      figures: { seconds, fleets, start: start ?? null },
      table: [
        table(
          [
            'guards',
            'sign-outs/s',
            'service core %',
            'postgres core %',
            'polls/s',
            'kB/s to guards',
            'kB/s from',
            'failed polls',
            'full pages',
            'sign-out p50 ms',
            'p99 ms',
            '202',
          ],
          fleets.map((one) => [
            `${one.guards} ${one.isStrict ? 'strict' : 'following'}`,
            one.rate,
            one.serviceCorePercent,
            one.postgresCorePercent,
            one.pollsPerSecond,
            one.kilobytesToGuardsPerSecond,
            one.kilobytesFromGuardsPerSecond,
            one.failures,
            one.fullPages,
            one.rate === 0 ? null : one.signOut.p50Ms,
            one.rate === 0 ? null : one.signOut.p99Ms,
            one.pending,
          ]),
        ),
        ...(start === undefined
          ? []
          : [
              table(
                ['entries', 'guard current after s', 'its memory MiB', 'slowest answer of a worker meanwhile, ms'],
                [[start.entries, start.currentSeconds, start.residentMb, start.longestPingMs]],
              ),
            ]),
      ].join('\n'),
    };
  },
});
