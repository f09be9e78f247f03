/**
 * Drills of an upgrade: an earlier version and this one on the same data, side by side on PostgreSQL, one after the other on SQLite.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { treeOf } from '../packages/lab/src/faults/process-tree.ts';
import type { RunResult } from '../packages/lab/src/reports/result.ts';
import { type Crowd, gatherCrowd, judgeCrowd, signOutCrowd } from '../tests/harness/crowd.ts';
import { startHaproxy } from '../tests/harness/haproxy.ts';
import { runLab } from '../tests/harness/lab.ts';
import { startHome } from '../tests/harness/postgres/moves.ts';
import { startRedis } from '../tests/harness/redis.ts';
import {
  freePort,
  removeFolder,
  type Service,
  type Settings,
  startService,
  temporaryFolder,
} from '../tests/harness/service.ts';
import { waitUntil } from '../tests/harness/wait-until.ts';
import { checkOut } from './drills/checkout.ts';
import { type CrossChecks, crossCheck, type Machine } from './drills/cross-checks.ts';
import { table } from './figures.ts';
import { insteadOf, machine, numberOption, report, say } from './setting.ts';

const help = `Drills of an upgrade from an earlier version, which is taken from the repository and installed in .cache.

  node bench/upgrade-drill.ts REVISION [--engine sqlite|postgresql] [--seconds 60] [--users 40] [--out FILE]

postgresql: two machines of the earlier version serve the lab's scenario "mixed" behind HAProxy, one with Redis and one without; two of this
version join them, migrate, and serve beside them for --seconds; then the earlier ones are stopped. One worker of the earlier version is killed
meanwhile, and a session holds every table for three seconds, as a dump does. sqlite: the earlier version is stopped, this one migrates and
serves, the earlier one takes over once more, and this one again. About 3 minutes. Needs HAProxy, Redis and PostgreSQL, or Debian's packages.
Exit code 2: a request failed, a dead token was accepted, or a live one refused.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h' },
    engine: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    users: { type: 'string', default: '40' },
    out: { type: 'string' },
  },
});

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

/** What became of a crowd, told; what should not have is missed. */
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

const startedBy = (stack: AsyncDisposableStack, old: string) => ({
  folder: (): string => {
    const folder = temporaryFolder();
    stack.defer(() => removeFolder(folder));
    return folder;
  },
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

const labWords = (target: string, { url, dataDir }: Service, seconds: number): readonly string[] => [
  ...['run', 'mixed', '--users', values.users, '--duration', `${seconds}s`, '--plain', '--target', target],
  ...['--operate-target', url, '--admin-key-file', join(dataDir, 'lab.key'), '--no-metrics'],
];

/** Before the new version comes, and after the old one has gone, seconds. */
const marginSeconds = 15;
const heldMs = 3000;
const startMsMax = 30_000;

const upgradeServing = async (old: string, seconds: number) => {
  await using stack = new AsyncDisposableStack();
  const { folder, serve } = startedBy(stack, old);
  const home = await startHome({ max_connections: 200 });
  stack.use(home.server);
  const redis = stack.use(await startRedis());
  const ports = [await freePort(), await freePort(), await freePort(), await freePort()] as const;
  const settings = { DATABASE_URL: home.url, WORKERS: 2, DATABASE_POOL_SIZE: 10 };
  const withRedis = { ...settings, REDIS_URL: redis.url };
  const olds = [
    await serve('old', folder(), { ...withRedis, PORT: ports[0] }),
    await serve('old', folder(), { ...settings, PORT: ports[1] }),
  ] as const;
  const crowd = await gatherCrowd(olds[0].url, olds[0].dataDir, accounts);
  await signOutCrowd(olds[0].url, crowd.first);
  const servers = ports.map((port) => ({ host: '127.0.0.1', port }));
  const balancer = stack.use(await startHaproxy({ servers }));
  await waitUntil('HAProxy', 'notice who serves', startMsMax, async () => {
    const states = await balancer.states();
    return states.join() === 'UP,UP,DOWN,DOWN';
  });
  const labFolder = folder();
  const lab = runLab(labFolder, labWords(balancer.url, olds[0], seconds + 2 * marginSeconds));
  await delay(marginSeconds * 1000);

  say('The new version starts while a session holds every table');
  const holding = home.sql(
    `begin; lock table deployment, member, journal, session, account in access share mode; select pg_sleep(${heldMs / 1000}); commit`,
  );
  const beganMs = performance.now();
  const news = [
    await serve('new', folder(), { ...withRedis, PORT: ports[2] }),
    await serve('new', folder(), { ...settings, PORT: ports[3] }),
  ] as const;
  const joinedSeconds = (performance.now() - beganMs) / 1000;
  await holding;
  const machines = [...olds, ...news].map(({ url }, index) => ({ url, version: index < 2 ? 'old' : 'new' }) as const);
  const stopChecks = crossCheck('crowd0@example.com', machines);

  say('A worker of the old version is killed');
  await delay((seconds * 1000) / 4);
  const workersOf = ({ process: { pid = 0 } }: Service) => treeOf(pid).filter(({ command }) => /worker/.test(command));
  const [victim] = workersOf(olds[1]);
  if (victim === undefined) throw new Error('The old version has no worker');
  process.kill(victim.pid, 'SIGKILL');
  await delay((seconds * 1000 * 3) / 4);
  const workersLeft = workersOf(olds[1]).length;
  const isRefused = olds[1].output().includes('A worker cannot start');
  expect(isRefused || workersLeft < 2 ? 1 : 0, 'workers of the old version could not be started anew');
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
  // Its one loop is in one round when the worker is killed.
  expect(Math.max(0, checks.cuts - 1), 'connections were cut more often than a worker was killed');
  expect(checks.failures.length, `cross-checks failed, such as: ${checks.failures[0]}`);
  return { joinedSeconds, workersLeft, checks, judged, lab: result };
};

const upgradeStopped = async (old: string) => {
  await using stack = new AsyncDisposableStack();
  const { folder, serve } = startedBy(stack, old);
  const dataDir = folder();
  const judged: Judged[] = [];
  const first = await serve('old', dataDir, {});
  const labFolder = folder();
  await runLab(labFolder, labWords(first.url, first, 15));
  const crowd = await gatherCrowd(first.url, dataDir, accounts);
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

const told = (judged: readonly Judged[]): string => table(['who serves', 'dead accepted', 'live refused'], judged);

const tellChecks = ({ signOuts, pending, deadChecks, violations, failures, cuts, signOutMs }: CrossChecks): string =>
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

const main = async (): Promise<void> => {
  const [revision] = positionals;
  if (revision === undefined) throw new Error('Name the revision of the earlier version');
  const seconds = numberOption('seconds', values.seconds, { min: 20, max: 3600 });
  const { folder, commit } = checkOut(revision);
  const tables: string[] = [];
  const result: Record<string, unknown> = { machine: machine(), at: new Date().toISOString(), from: commit, missed };
  if (values.engine !== 'sqlite') {
    const { lab, checks, judged, ...rest } = await upgradeServing(folder, seconds);
    const { whole, consistency } = lab;
    Object.assign(result, { postgresql: { ...rest, checks, judged, total: whole.total, consistency } });
    tables.push(
      table(
        ['lab', 'requests', 'failed', 'rejected', 'dead tokens tried', 'accepted', 'p99 ms'],
        [
          [
            `mixed, ${values.users} users`,
            whole.total.requests,
            whole.total.real,
            whole.total.expected,
            consistency.dead_checks,
            consistency.violations,
            whole.total.percentiles_ms['99'],
          ],
        ],
      ),
      tellChecks(checks),
      told(judged),
    );
  }
  if (values.engine !== 'postgresql') {
    const judged = await upgradeStopped(folder);
    Object.assign(result, { sqlite: judged });
    tables.push(told(judged));
  }
  if (values.out === undefined) report(result);
  else writeFileSync(values.out, `${JSON.stringify(result, null, 2)}\n`);
  process.stdout.write(`\n${tables.join('\n')}\n${missed.map((sentence) => `missed: ${sentence}\n`).join('')}`);
  process.exitCode = missed.length > 0 ? 2 : 0;
};

if (values.help === true) process.stdout.write(help);
else await main();
