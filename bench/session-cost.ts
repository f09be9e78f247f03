/**
 * What sessions cost: refresh, sign-out, and sign-in with the login cache: `node bench/session-cost.ts --help`.
 * @module
 */
import { parseArgs } from 'node:util';
import { importAccounts } from '../tests/harness/accounts.ts';
import { goodPassword, signIn } from '../tests/harness/client.ts';
import { removeFolder, startService, temporaryFolder } from '../tests/harness/service.ts';
import { cpuSecondsOfTree, watchStrangers } from './cpu.ts';
import { latencies, median, round, table } from './figures.ts';
import { type Ask, answersByStatus, type Load, loadFrom, type Plan, tookMsOf } from './load-process.ts';
import { finish, machine, numberOption, say, spread, takeTurn } from './setting.ts';

const help = `What a refresh, a sign-out and a sign-in (login cache on) cost one core: the service on SQLite on core 0, the generator on core 1, closed loop.

  node bench/session-cost.ts [--rounds 5] [--seconds 5] [--hands 32] [--out FILE]

CPU time of the service (all its processes and threads) per operation, operations a second, and how much of its core it used: with a slow
disk the core waits, and the operations a second say what the disk manages. "Per vCPU" is what a core would manage that never waits. Beside
it stands what Keycloak's sizing guide plans with: 120 refreshes a second for each vCPU, 15 sign-ins with a password
(https://www.keycloak.org/high-availability/single-cluster/concepts-memory-and-cpu-sizing). That one is a recommendation with its database
on another machine, no measurement on this one. Linux, two cores, needs taskset (util-linux). About 2 minutes.
`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    hands: { type: 'string', default: '32' },
    out: { type: 'string' },
  },
});

const serverCore = 0;
const generatorCore = 1;
/** Sessions made ready for a round of sign-outs, for each second: more than a core manages. They end the round when they are used up. */
const signOutsPerSecondMax = 4000;
/** Published for one vCPU, operations a second. */
const keycloak: Readonly<Record<string, number>> = { refresh: 120 };

const rounds = numberOption('rounds', values.rounds, { max: 100 });
const seconds = numberOption('seconds', values.seconds, { max: 60 });
const hands = numberOption('hands', values.hands, { max: 256 });
const emails = Array.from({ length: hands }, (_, index) => `session${index}@example.com`);

const logins: readonly Ask[] = emails.map((email) => ({
  method: 'POST',
  path: '/auth/login',
  body: { email, password: goodPassword, tenant: 'lab' },
}));

interface Block {
  readonly operations: number;
  readonly cpuMicros: number;
  readonly perSecond: number;
  readonly corePercent: number;
  readonly tookMs: readonly number[];
}

const main = async (): Promise<void> => {
  takeTurn();
  if (machine().cores < 2) throw new Error('Cannot measure here: service and generator need a core each');
  const dataDir = temporaryFolder();
  const service = await startService(
    dataDir,
    // An account that has as many sessions as it may have pays for the ending of the oldest one at each sign-in; people do not.
    { LOGIN_CACHE_SECONDS: 3600, ACCESS_TOKEN_SECONDS: 3600, MAX_SESSIONS_PER_ACCOUNT: 100_000, LOG_LEVEL: 'warn' },
    ['taskset', '-c', String(serverCore)],
  );
  try {
    const { url } = service;
    const pid = service.process.pid ?? 0;
    await importAccounts(url, dataDir, emails);
    say(`Signing ${hands} accounts in, each with its full hash`);
    await spread(emails, 2, (email) => signIn(url, email, goodPassword, 'lab'));
    const signInMany = (count: number) =>
      spread(Array.from({ length: count }), hands, (_, index) =>
        signIn(url, emails[index % hands] ?? '', goodPassword, 'lab'),
      );

    const run = async (plan: Pick<Plan, 'asks' | 'isChain' | 'isOnce'>): Promise<Block> => {
      const before = cpuSecondsOfTree(pid);
      const load: Load = await loadFrom({ ...plan, url, seconds, pace: { hands }, connections: hands }, generatorCore);
      const used = cpuSecondsOfTree(pid) - before;
      const tookMs = tookMsOf(load, 200);
      if (tookMs.length !== load.statuses.length || load.failures > 0)
        throw new Error(`Not every answer was 200: ${JSON.stringify(answersByStatus(load))}`);
      return {
        operations: tookMs.length,
        cpuMicros: (1e6 * used) / tookMs.length,
        perSecond: tookMs.length / load.seconds,
        corePercent: (100 * used) / load.seconds,
        tookMs,
      };
    };
    const operations: Readonly<Record<string, () => Promise<Block>>> = {
      refresh: async () => {
        const sessions = await signInMany(hands);
        const asks = sessions.map(
          ({ refresh }): Ask => ({ method: 'POST', path: '/auth/refresh', body: { refresh_token: refresh } }),
        );
        return run({ asks, isChain: true });
      },
      'sign-out': async () => {
        const sessions = await signInMany(Math.min(20_000, signOutsPerSecondMax * seconds));
        const asks = sessions.map(({ access }): Ask => ({ method: 'POST', path: '/auth/logout', token: access }));
        return run({ asks, isOnce: true });
      },
      'sign-in, cached': () => run({ asks: logins }),
    };

    for (const [name, act] of Object.entries(operations)) {
      say(`Warming up: ${name}`);
      await act();
    }
    const look = watchStrangers();
    const blocks = new Map<string, Block[]>(Object.keys(operations).map((name) => [name, []]));
    for (let number = 1; number <= rounds; number++)
      for (const [name, act] of Object.entries(operations)) {
        say(`Round ${number} of ${rounds}: ${name}`);
        blocks.get(name)?.push(await act());
      }
    const conditions = look();
    const results = [...blocks].map(([name, all]) => {
      const middle = (figure: 'cpuMicros' | 'perSecond' | 'corePercent'): number =>
        median(all.map((block) => block[figure]));
      const perVcpu = 1e6 / middle('cpuMicros');
      const published = keycloak[name];
      return {
        name,
        cpu_us_per_operation: round(middle('cpuMicros'), 0),
        per_second: round(middle('perSecond'), 0),
        core_percent: round(middle('corePercent'), 0),
        per_vcpu_per_second: round(perVcpu, 0),
        keycloak_per_vcpu_per_second: published ?? null,
        times_keycloak: published === undefined ? null : round(perVcpu / published),
        latency: latencies(all.flatMap(({ tookMs }) => tookMs)),
      };
    });
    finish({
      out: values.out,
      figures: { rounds, seconds, hands, results },
      table: table(
        ['', 'CPU µs each', '/s', 'core %', '/s per vCPU', "Keycloak's guide", 'times', 'p50 ms', 'p99 ms'],
        results.map(({ latency, ...one }) => [...Object.values(one), latency.p50_ms, latency.p99_ms]),
      ),
      conditions,
    });
  } finally {
    await service.end('SIGKILL');
    removeFolder(dataDir);
  }
};

if (values.help) process.stdout.write(help);
else await main();
