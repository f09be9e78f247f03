/**
 * Does an upgrade fail a request, accept a dead token or refuse a live one?
 * @module
 */
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { treeOf } from '@catalytic/lab/process-tree';
import type { RunResult } from '../packages/lab/src/results/result.ts';
import { type Crowd, gatherCrowd, judgeCrowd, signOutCrowd } from '../tests/harness/crowd.ts';
import { startHaproxy } from '../tests/harness/haproxy.ts';
import { runLab } from '../tests/harness/lab.ts';
import { operateUrlOf } from '../tests/harness/operate-url.ts';
import { type Home, startHome } from '../tests/harness/postgres/moves.ts';
import { startRedis } from '../tests/harness/redis.ts';
import { freePort, type Service, type Settings, startService } from '../tests/harness/service.ts';
import { waitUntil } from '../tests/harness/wait-until.ts';
import { checkOut } from './drills/checkout.ts';
import { type CrossChecks, crossCheck, type Machine } from './drills/cross-checks.ts';
import { runBench } from './harness/bench.ts';
import { table } from './harness/figures.ts';
import { number, optionalText, RefusedError } from './harness/options.ts';
import { say } from './harness/result.ts';
import { folderOn, insteadOf, pidOf } from './harness/services.ts';

const help = `Drills of an upgrade from an earlier version, which is taken from the repository and installed in .cache.

  npm run bench -- upgrade-drill REVISION [--engine sqlite|postgresql] [--seconds 60] [--users 40] [--out FILE]

postgresql: two machines of the earlier version serve the lab's scenario "mixed" behind HAProxy, one with Redis and one without; two of this
version join them, migrate, and serve beside them for --seconds; then the earlier ones are stopped. One worker of the earlier version is killed
meanwhile, and a session holds every table for three seconds, as a dump does. sqlite: the earlier version is stopped, this one migrates and
serves, the earlier one takes over once more, and this one again. About 3 minutes. Needs HAProxy, Redis and PostgreSQL, or Debian's packages.
Exit code 2: a request failed, a dead token was accepted, or a live one refused.
`;

const engines = ['sqlite', 'postgresql'];

const accounts = 20;
const missed: string[] = [];
const expect = (figure: number, what: string): void => {
  if (figure > 0) missed.push(`${figure} ${what}`);
};

const common: Settings = {
  ISSUER: 'https://auth.example.com',
  CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
  LOGIN_CACHE_SECONDS: 3600,
  ACCESS_TOKEN_SECONDS: 3600,
};

/** Counts which sessions live; what should not be is a missed aim. */
const judge = async (where: string, url: string, dead: Crowd['kept'], live: Crowd['kept']) => {
  const [deadFates, liveFates] = [await judgeCrowd(url, dead), await judgeCrowd(url, live)];
  expect(deadFates.accepted + deadFates.refreshed, `dead tokens were accepted: ${where}`);
  expect(liveFates.refused + live.length - liveFates.refreshed, `live tokens were refused: ${where}`);
  return [
    where,
    `${deadFates.accepted + deadFates.refreshed} of ${2 * dead.length}`,
    `${liveFates.refused + live.length - liveFates.refreshed} of ${2 * live.length}`,
  ] as const;
};

type Judged = Awaited<ReturnType<typeof judge>>;

/** How a version is started on a stack. */
const startedBy = (stack: AsyncDisposableStack, old: string) => ({
  folder: (): string => folderOn(stack),
  serve: async (version: Machine['version'], dataDir: string, settings: Settings): Promise<Service> => {
    const prefix = version === 'old' ? insteadOf(old) : [];
    const service = await startService(dataDir, { ...common, ...settings }, prefix);
    stack.defer(async () => void (await service.end('SIGKILL')));
    return service;
  },
});

/** The result that the lab has written. */
const readResult = (folder: string): RunResult => {
  const [file] = globSync('results/*.json', { cwd: folder });
  return JSON.parse(readFileSync(join(folder, file ?? 'no result'), 'utf8')) as RunResult;
};

/** The load of a drill. */
interface Load {
  readonly users: number;
  readonly seconds: number;
}

const labWords = (target: string, service: Service, { users, seconds }: Load): readonly string[] => [
  ...['run', 'mixed', '--users', `${users}`, '--duration', `${seconds}s`, '--plain', '--target', target],
  ...['--operate-target', operateUrlOf(service), '--admin-key-file', join(service.dataDir, 'lab.key'), '--no-metrics'],
];

/** Before the new version comes, and after the old one has gone, seconds. */
const marginSeconds = 15;
const heldMs = 3000;
const startMsMax = 30_000;

type Pair = readonly [Service, Service];

/** Two machines of each version on one database, one of each with Redis; the old ones serve. */
const startOld = async (stack: AsyncDisposableStack, old: string) => {
  const { folder, serve } = startedBy(stack, old);
  const home = await startHome({ max_connections: 200 });
  stack.use(home.server);
  const redis = stack.use(await startRedis());
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
  const settings = { DATABASE_URL: home.url, WORKERS: 2, DATABASE_POOL_SIZE: 10 };
  const withRedis = { ...settings, REDIS_URL: redis.url };
  const serveTwo = async (version: Machine['version'], [first, second]: readonly [number, number]): Promise<Pair> => [
    await serve(version, folder(), { ...withRedis, PORT: first }),
    await serve(version, folder(), { ...settings, PORT: second }),
  ];
  const olds = await serveTwo('old', [ports[0], ports[1]]);
  const startNew = (): Promise<Pair> => serveTwo('new', [ports[2], ports[3]]);
  return { home, ports, olds, startNew, folder };
};

/** Starts the new version while a session holds every table, as a dump does. @returns seconds until both of its machines serve */
const joinWhileHeld = async (home: Home, startNew: () => Promise<Pair>) => {
  say('The new version starts while a session holds every table');
  const holding = home.sql(
    `begin; lock table deployment, member, journal, session, account in access share mode;
     select pg_sleep(${heldMs / 1000}); commit`,
  );
  const beganMs = performance.now();
  const news = await startNew();
  const joinedSeconds = (performance.now() - beganMs) / 1000;
  await holding;
  return { news, joinedSeconds };
};

const workersOf = (service: Service) => treeOf(pidOf(service)).filter(({ command }) => /worker/.test(command));

/** Kills a worker of the old version, a quarter into the time. @returns how many workers it has at the end of it */
const killWorker = async (service: Service, seconds: number): Promise<number> => {
  say('A worker of the old version is killed');
  await delay((seconds * 1000) / 4);
  const [victim] = workersOf(service);
  if (victim === undefined) throw new Error('The old version has no worker');
  process.kill(victim.pid, 'SIGKILL');
  await delay((seconds * 1000 * 3) / 4);
  const workersLeft = workersOf(service).length;
  const isRefused = service.output().includes('A worker cannot start');
  expect(isRefused || workersLeft < 2 ? 1 : 0, 'workers of the old version could not be started anew');
  return workersLeft;
};

const upgradeServing = async (old: string, { users, seconds }: Load) => {
  await using stack = new AsyncDisposableStack();
  const { home, ports, olds, startNew, folder } = await startOld(stack, old);
  const crowd = await gatherCrowd(olds[0], accounts);
  await signOutCrowd(olds[0].url, crowd.first);
  const servers = ports.map((port) => ({ host: '127.0.0.1', port }));
  const balancer = stack.use(await startHaproxy({ servers }));
  await waitUntil('HAProxy', 'notice who serves', startMsMax, async () => {
    const states = await balancer.states();
    return states.join() === 'UP,UP,DOWN,DOWN';
  });
  const labFolder = folder();
  const load = { users, seconds: seconds + 2 * marginSeconds };
  const lab = runLab(labFolder, labWords(balancer.url, olds[0], load));
  await delay(marginSeconds * 1000);

  const { news, joinedSeconds } = await joinWhileHeld(home, startNew);
  const machines = [...olds, ...news].map(({ url }, index) => ({ url, version: index < 2 ? 'old' : 'new' }) as const);
  const stopChecks = crossCheck('crowd0@example.com', machines);
  const workersLeft = await killWorker(olds[1], seconds);
  const checks = await stopChecks();

  say('The old version stops');
  const judged: Judged[] = [await judge('new, beside the old', news[1].url, crowd.first, crowd.kept)];
  await signOutCrowd(olds[1].url, crowd.second);
  await Promise.all(olds.map((service) => service.end('SIGTERM')));
  const dead = [...crowd.first, ...crowd.second];
  judged.push(await judge('new, alone', news[0].url, dead, crowd.kept));
  await lab;
  const result = readResult(labFolder);
  expect(result.whole.total.real, 'requests of the lab failed');
  expect(result.consistency.violations, 'violations in the lab');
  expect(checks.violations, 'dead tokens were accepted by another machine');
  // The cross-checks play one round at a time, so the one kill ends one round at most.
  expect(Math.max(0, checks.cuts - 1), 'connections were cut more often than a worker was killed');
  expect(checks.failures.length, `cross-checks failed, such as: ${checks.failures[0]}`);
  return { joinedSeconds, workersLeft, checks, judged, lab: result };
};

const upgradeStopped = async (old: string, users: number) => {
  await using stack = new AsyncDisposableStack();
  const { folder, serve } = startedBy(stack, old);
  const dataDir = folder();
  const judged: Judged[] = [];
  const first = await serve('old', dataDir, {});
  const labFolder = folder();
  await runLab(labFolder, labWords(first.url, first, { users, seconds: 15 }));
  const crowd = await gatherCrowd(first, accounts);
  await signOutCrowd(first.url, crowd.first);
  await first.end();
  const second = await serve('new', dataDir, {});
  judged.push(await judge('new, after the old', second.url, crowd.first, crowd.kept));
  await signOutCrowd(second.url, crowd.second);
  await second.end();
  const dead = [...crowd.first, ...crowd.second];
  const third = await serve('old', dataDir, {});
  judged.push(await judge('old, after the new', third.url, dead, crowd.kept));
  await third.end();
  const fourth = await serve('new', dataDir, {});
  judged.push(await judge('new, once more', fourth.url, dead, crowd.kept));
  const { consistency, whole } = readResult(labFolder);
  expect(consistency.violations + whole.total.real, 'failures and violations in the lab');
  return judged;
};

const judgedTable = (judged: readonly Judged[]): string =>
  table(['who serves', 'dead accepted', 'live refused'], judged);

const checksTable = ({ signOuts, pending, deadChecks, violations, failures, cuts, signOutMs }: CrossChecks): string =>
  table(
    [
      'sign-outs between machines',
      '202',
      'dead checks',
      'accepted',
      'failed',
      'cut by the kill',
      'old ms p50',
      'max',
      'new ms p50',
      'max',
    ],
    [
      [
        signOuts,
        pending,
        deadChecks,
        violations,
        failures.length,
        cuts,
        signOutMs.old.p50,
        signOutMs.old.max,
        signOutMs.new.p50,
        signOutMs.new.max,
      ],
    ],
  );

const labTable = ({ whole, consistency }: RunResult, users: number): string =>
  table(
    ['lab', 'requests', 'failed', 'rejected', 'dead tokens tried', 'accepted', 'p99 ms'],
    [
      [
        `mixed, ${users} users`,
        whole.total.requests,
        whole.total.real,
        whole.total.expected,
        consistency.dead_checks,
        consistency.violations,
        whole.total.percentiles_ms['99'],
      ],
    ],
  );

await runBench({
  help,
  options: {
    engine: optionalText,
    seconds: number(60, { min: 20, max: 3600 }),
    users: number(40, { max: 10_000 }),
  },
  measures: 'counts',
  takesWords: true,
  run: async ({ values: { engine, seconds, users }, words: [revision] }) => {
    if (revision === undefined) throw new RefusedError('Name the revision of the earlier version');
    if (engine !== undefined && !engines.includes(engine))
      throw new RefusedError(`Cannot take --engine ${engine}: choose from ${engines.join(', ')}`);
    const { folder, commit } = checkOut(revision);
    const tables: string[] = [];
    const figures: Record<string, unknown> = { from: commit };
    if (engine !== 'sqlite') {
      const { lab, checks, judged, ...rest } = await upgradeServing(folder, { users, seconds });
      const { whole, consistency } = lab;
      figures['postgresql'] = { ...rest, checks, judged, total: whole.total, consistency };
      tables.push(labTable(lab, users), checksTable(checks), judgedTable(judged));
    }
    if (engine !== 'postgresql') {
      const judged = await upgradeStopped(folder, users);
      figures['sqlite'] = judged;
      tables.push(judgedTable(judged));
    }
    return { figures, table: tables.join('\n'), missed };
  },
});
