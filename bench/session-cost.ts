/**
 * What do a refresh, a sign-out and a cached sign-in cost a core, beside what Keycloak's sizing guide plans with?
 * @module
 */
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, signIn, type Tokens } from '../tests/harness/client.ts';
import { inParallel } from '../tests/harness/in-parallel.ts';
import type { Service } from '../tests/harness/service.ts';
import { runBench } from './harness/bench.ts';
import { watchStrangers } from './harness/conditions.ts';
import { latencies, median, round, table } from './harness/figures.ts';
import { number } from './harness/options.ts';
import { cpuSecondsOfTree } from './harness/processes.ts';
import { say } from './harness/result.ts';
import { dealRounds } from './harness/rounds.ts';
import { onCore, pidOf, startServiceOn } from './harness/services.ts';
import { type Ask, type Plan, sendLoad, tookMsOfSuccess } from './loads/http-load.ts';

const help = `What a refresh, a sign-out and a sign-in (login cache on) cost one core: the service on SQLite on core 0, the generator on core 1, closed loop.

  npm run bench -- session-cost [--rounds 5] [--seconds 5] [--hands 32] [--out FILE]

CPU time of the service (all its processes and threads) per operation, operations a second, and the share of its core that it used: with a
slow disk the core waits, and the operations a second show the disk. "Per vCPU" is the rate of a core that never waits. The table compares
it with Keycloak's sizing guide: 120 refreshes a second for each vCPU, 15 sign-ins with a password
(https://www.keycloak.org/high-availability/single-cluster/concepts-memory-and-cpu-sizing). That guide is a recommendation, with its database
on another machine, and no measurement on this one. Linux, two cores, needs taskset (util-linux). About 2 minutes.
`;

const serverCore = 0;
const generatorCore = 1;
/** Sessions opened for a block of sign-outs, for each of its seconds: more than a core signs out. The block ends with the last of them. */
const signOutsPerSecondMax = 4000;
const signOutsMax = 20_000;
/** Published for one vCPU, operations a second. */
const keycloak: Readonly<Record<string, number>> = { refresh: 120 };

interface Block {
  readonly operations: number;
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly corePercent: number;
  readonly tookMs: readonly number[];
}

type Operations = Readonly<Record<string, () => Promise<Block>>>;

/** Measures a block of one operation. */
const measure = async (service: Service, plan: Omit<Plan, 'url'>): Promise<Block> => {
  const pid = pidOf(service);
  const before = cpuSecondsOfTree(pid);
  const load = await sendLoad({ ...plan, url: service.url }, generatorCore);
  const used = cpuSecondsOfTree(pid) - before;
  const tookMs = tookMsOfSuccess(load);
  return {
    operations: tookMs.length,
    cpuMicros: (1e6 * used) / tookMs.length,
    perSecond: tookMs.length / load.seconds,
    corePercent: (100 * used) / load.seconds,
    tookMs,
  };
};

/** The operations, on accounts that have been imported. */
const operationsOn = (service: Service, emails: readonly string[], seconds: number): Operations => {
  const hands = emails.length;
  const signInMany = (count: number): Promise<readonly Tokens[]> => {
    const all = Array.from({ length: count });
    return inParallel(all, (_, index) => signIn(service.url, emails[index % hands] ?? '', goodPassword, 'lab'), hands);
  };
  const logins: readonly Ask[] = emails.map((email) => ({
    method: 'POST',
    path: '/auth/login',
    body: { email, password: goodPassword, tenant: 'lab' },
  }));
  const run = (plan: Pick<Plan, 'asks' | 'isChain' | 'isOnce'>): Promise<Block> =>
    measure(service, { ...plan, seconds, pace: { hands }, connections: hands });
  return {
    refresh: async () => {
      const sessions = await signInMany(hands);
      const asks = sessions.map(
        ({ refresh }): Ask => ({ method: 'POST', path: '/auth/refresh', body: { refresh_token: refresh } }),
      );
      return run({ asks, isChain: true });
    },
    'sign-out': async () => {
      const sessions = await signInMany(Math.min(signOutsMax, signOutsPerSecondMax * seconds));
      const asks = sessions.map(({ access }): Ask => ({ method: 'POST', path: '/auth/logout', token: access }));
      return run({ asks, isOnce: true });
    },
    'sign-in, cached': () => run({ asks: logins }),
  };
};

const summarise = (blocks: ReadonlyMap<string, readonly Block[]>) =>
  [...blocks].map(([name, all]) => {
    const middle = (figure: 'cpuMicros' | 'perSecond' | 'corePercent'): number =>
      median(all.map((block) => block[figure]));
    const perVcpu = 1e6 / middle('cpuMicros');
    const published = keycloak[name];
    return {
      name,
      cpuUsPerOperation: round(middle('cpuMicros'), 0),
      perSecond: round(middle('perSecond'), 0),
      corePercent: round(middle('corePercent'), 0),
      perVcpuPerSecond: round(perVcpu, 0),
      keycloakPerVcpuPerSecond: published ?? null,
      timesKeycloak: published === undefined ? null : round(perVcpu / published),
      latency: latencies(all.flatMap(({ tookMs }) => tookMs)),
    };
  });

await runBench({
  help,
  options: { rounds: number(5, { max: 100 }), seconds: number(5, { max: 60 }), hands: number(32, { max: 256 }) },
  measures: 'times',
  coresMin: 2,
  run: async ({ values: { rounds, seconds, hands } }, stack) => {
    // An account with as many sessions as it may have would pay for ending the oldest one at each sign-in; real accounts do not.
    const settings = { LOGIN_CACHE_SECONDS: 3600, ACCESS_TOKEN_SECONDS: 3600, MAX_SESSIONS_PER_ACCOUNT: 100_000 };
    const service = await startServiceOn(stack, { ...settings, LOG_LEVEL: 'warn' }, onCore(serverCore));
    const emails = Array.from({ length: hands }, (_, index) => `session${index}@example.com`);
    await importAccounts(service.url, service.dataDir, emails);
    say(`Signing ${hands} accounts in, each with its full hash`);
    await inParallel(emails, (email) => signIn(service.url, email, goodPassword, 'lab'), 2);
    const operations = operationsOn(service, emails, seconds);
    for (const [name, act] of Object.entries(operations)) {
      say(`Warming up: ${name}`);
      await act();
    }
    const look = watchStrangers();
    const results = summarise(await dealRounds(operations, rounds));
    return {
      figures: { rounds, seconds, hands, results },
      table: table(
        ['', 'CPU µs each', '/s', 'core %', '/s per vCPU', "Keycloak's guide", 'times', 'p50 ms', 'p99 ms'],
        results.map(({ latency, ...one }) => [...Object.values(one), latency.p50Ms, latency.p99Ms]),
      ),
      conditions: look(),
    };
  },
});
