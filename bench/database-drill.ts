/**
 * How long do sign-ins fail when the database server goes silent, fails over, is full or gets a second machine?
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { importAccounts } from '../tests/harness/accounts.ts';
import { get, goodPassword, post, signIn } from '../tests/harness/client.ts';
import { operateUrlOf } from '../tests/harness/operate-url.ts';
import { createServiceDatabase, serviceDatabaseUrl } from '../tests/harness/postgres/service-database.ts';
import { startStandby, withStandby } from '../tests/harness/postgres/standby.ts';
import { type Postgres, startPostgres } from '../tests/harness/postgres.ts';
import type { Service, Settings } from '../tests/harness/service.ts';
import { type TcpProxy, tcpProxyIn } from '../tests/harness/tcp-proxy.ts';
import { runBench } from './harness/bench.ts';
import { largest, round, table } from './harness/figures.ts';
import { choices, number } from './harness/options.ts';
import { say } from './harness/result.ts';
import { scopeOf, startServiceOn } from './harness/services.ts';
import { openLoop } from './loads/open-loop.ts';

const faultNames = ['silent', 'failover', 'dead-host', 'full-3s', 'full-30s', 'deploy'] as const;
type FaultName = (typeof faultNames)[number];

const help = `Sign-ins at a steady rate (login cache on) on two workers and a real PostgreSQL with max_connections = 100, while

  silent    every open connection to the database falls silent without a reset; new ones work
  failover  the primary is killed, and a second later its standby is promoted; DATABASE_URL names both
  dead-host the host of the primary vanishes: neither open nor new connections are answered; a second later its standby is promoted
  full-3s   other programs take every free place on the server for 3 s, while the pool must grow
  full-30s  the same for 30 s
  deploy    a second machine starts, takes over, and the first is stopped

Beside the sign-ins a token is checked 20 times a second.

  npm run bench -- database-drill [--rate 200] [--after 20] [--only silent,failover] [--out FILE]

--after  seconds that the load goes on after the fault

Aims: sign-ins work again within 10 s of the fault and are never refused by a full server or a deploy; no check of the token fails. About 4
minutes. Exit codes: 0 all met, 2 an aim was missed, 3 invalid: other programs kept the machine busy.
`;

const beforeSeconds = 3;
const accounts = 20;
const checksPerSecond = 20;
/** Aim: seconds from the fault to the last sign-in that fails. */
const failingSecondsMax: Readonly<Record<FaultName, number>> = {
  silent: 10,
  failover: 10,
  'dead-host': 10,
  'full-3s': 0,
  'full-30s': 0,
  deploy: 0,
};
const promotedAfterMs = 1000;
const emails = Array.from({ length: accounts }, (_, index) => `drill${index}@example.com`);

/** What a fault acts on. */
interface Scene {
  readonly stack: AsyncDisposableStack;
  readonly primary: Postgres;
  readonly standby: Postgres | undefined;
  readonly settings: Settings;
  /** URLs of the machines that serve, as a balancer knows them; a fault may change them. */
  readonly targets: string[];
  readonly first: Service;
  readonly proxy: TcpProxy;
}

/** Takes every free place of the server for a while. */
const fillServer = async ({ primary }: Scene, seconds: number): Promise<void> => {
  const taken: Client[] = [];
  const untilMs = performance.now() + seconds * 1000;
  // Places that become free are taken, too.
  while (performance.now() < untilMs) {
    const client = new Client({ connectionString: serviceDatabaseUrl(primary.port) });
    client.on('error', () => {});
    try {
      await client.connect();
      taken.push(client);
    } catch {
      await delay(100);
    }
  }
  await Promise.all(taken.map((client) => client.end()));
};

const faults: Readonly<Record<FaultName, (scene: Scene) => Promise<void>>> = {
  silent: async ({ proxy }) => proxy.silence(),
  failover: async ({ primary, standby }) => {
    await primary.kill();
    await delay(promotedAfterMs);
    await standby?.sql('select pg_promote()');
  },
  'dead-host': async ({ proxy, standby }) => {
    proxy.silence();
    proxy.swallow();
    await delay(promotedAfterMs);
    await standby?.sql('select pg_promote()');
  },
  'full-3s': (scene) => fillServer(scene, 3),
  'full-30s': (scene) => fillServer(scene, 30),
  deploy: async ({ stack, settings, targets, first }) => {
    const second = await startServiceOn(stack, settings);
    targets.push(second.url);
    await delay(2000);
    targets.shift();
    await first.end('SIGTERM');
  },
};

const setScene = async (stack: AsyncDisposableStack, name: FaultName): Promise<Scene> => {
  const primary = stack.use(await startPostgres({ settings: { max_connections: 100 } }));
  await createServiceDatabase(primary.sql);
  const standby = name === 'failover' || name === 'dead-host' ? stack.use(await startStandby(primary)) : undefined;
  const proxy = await tcpProxyIn(scopeOf(stack), primary.port);
  const url = serviceDatabaseUrl(name === 'silent' || name === 'dead-host' ? proxy.port : primary.port);
  const settings = {
    DATABASE_URL: standby === undefined ? url : withStandby(url, standby),
    // A pool that must grow while the server is full.
    ...(name.startsWith('full') && { DATABASE_POOL_SIZE: 2 }),
    CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
    ISSUER: 'https://id.example.com',
    OPERATE_PORT: 0,
    WORKERS: 2,
    LOGIN_CACHE_SECONDS: 3600,
  };
  const first = await startServiceOn(stack, settings);
  return { stack, primary, standby, settings, targets: [first.url], first, proxy };
};

/** An answer, or none. */
interface Answered {
  /** When the request was due, seconds after the fault. */
  readonly atSeconds: number;
  readonly status: number;
  readonly tookMs: number;
}

const drill = async (name: FaultName, rate: number, afterSeconds: number) => {
  await using stack = new AsyncDisposableStack();
  const scene = await setScene(stack, name);
  const { targets, first } = scene;
  await importAccounts(operateUrlOf(first), first.dataDir, emails);
  const token = (await signIn(first.url, emails[0] ?? '', goodPassword, 'lab')).access;
  // Each worker remembers the passwords that it has checked.
  for (const email of [...emails, ...emails]) await signIn(first.url, email, goodPassword, 'lab');

  const faultMs = performance.now() + beforeSeconds * 1000;
  const timed = async (dueMs: number, call: () => Promise<{ readonly status: number }>): Promise<Answered> => {
    const status = await call().then(
      (answer) => answer.status,
      () => 0,
    );
    return { atSeconds: (dueMs - faultMs) / 1000, status, tookMs: performance.now() - dueMs };
  };
  const place = (index: number): string => targets[index % targets.length] ?? '';
  const seconds = beforeSeconds + afterSeconds + (name === 'full-30s' ? 30 : 0);
  const logins = openLoop(rate, rate * seconds, (index, dueMs) =>
    timed(dueMs, () =>
      post(`${place(index)}/auth/login`, { email: emails[index % accounts], password: goodPassword, tenant: 'lab' }),
    ),
  );
  const checks = openLoop(checksPerSecond, checksPerSecond * seconds, (index, dueMs) =>
    timed(dueMs, () => get(`${place(index)}/auth/verify`, token)),
  );
  await delay(beforeSeconds * 1000);
  await faults[name](scene);
  const [signIns, verified] = await Promise.all([
    logins.then((all) => Promise.all(all)),
    checks.then((all) => Promise.all(all)),
  ]);
  const failed = signIns.filter(({ status }) => status !== 200);
  const served = signIns.filter(({ status }) => status === 200);
  return {
    fault: name,
    sign_ins: signIns.length,
    failed: failed.length,
    answers: [...new Set(failed.map(({ status }) => status))].sort((one, other) => one - other).join(' '),
    failing_s: round(Math.max(0, ...failed.map(({ atSeconds }) => atSeconds)), 2),
    slowest_served_ms: round(largest(served.map(({ tookMs }) => tookMs)), 0),
    checks_failed: verified.filter(({ status }) => status !== 200).length,
  };
};

type Row = Awaited<ReturnType<typeof drill>>;

const missedBy = ({ fault, failed, failing_s: failing, checks_failed: checks }: Row): readonly string[] => {
  const limit = failingSecondsMax[fault];
  return [
    ...(limit === 0 && failed > 0 ? [`${fault}: ${failed} sign-ins failed`] : []),
    ...(limit > 0 && failing > limit ? [`${fault}: sign-ins failed until ${failing} s after it, aim ${limit}`] : []),
    ...(checks > 0 ? [`${fault}: ${checks} checks of a token failed`] : []),
  ];
};

await runBench({
  help,
  options: {
    rate: number(200, { max: 2000 }),
    after: number(20, { min: 5, max: 600 }),
    only: choices(faultNames),
  },
  measures: 'times',
  run: async ({ values: { rate, after, only } }) => {
    const rows: Row[] = [];
    for (const name of faultNames.filter((each) => only.includes(each))) {
      say(name);
      rows.push(await drill(name, rate, after));
    }
    return {
      figures: { rate, rows },
      table: table(
        ['fault', 'sign-ins', 'failed', 'answers', 'failing until, s', 'slowest served, ms', 'checks failed'],
        rows.map((row) => Object.values(row)),
      ),
      missed: rows.flatMap(missedBy),
    };
  },
});
