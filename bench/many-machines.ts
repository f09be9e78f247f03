/**
 * How does a whole deployment do under the lab, on one machine or on several behind a load balancer?
 * @module
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Mode } from '@catalytic/guard';
import { type GatewayName, gatewayNames, startGateway } from '../tests/harness/gateways.ts';
import { startGuardedApi } from '../tests/harness/guarded-api.ts';
import { type Listener, startHaproxy } from '../tests/harness/haproxy.ts';
import { startHttpServer } from '../tests/harness/http-server.ts';
import { createMachines } from '../tests/harness/machines.ts';
import { operateUrlOf } from '../tests/harness/operate-url.ts';
import type { Postgres } from '../tests/harness/postgres.ts';
import { type Redis, startRedis } from '../tests/harness/redis.ts';
import { runCatalytic, type Service, type Settings } from '../tests/harness/service.ts';
import { startSidecar } from '../tests/harness/sidecar.ts';
import { startDatabase } from './harness/database.ts';
import { runLab } from './harness/lab.ts';
import { say } from './harness/result.ts';
import { folderOn, pidOf, startServiceOn } from './harness/services.ts';
import { startBareServer } from './targets/bare-server.ts';

const help = `Starts a real PostgreSQL, a real Redis and the service, and runs the load lab against it.

  npm run bench -- many-machines --machines 4 -- revocation --users 400 --duration 5m --out results/one-machine
  npm run bench -- many-machines --machines 2,2 -- auth --users 1000 --duration 3m
  npm run bench -- many-machines --machines embedded -- revocation --users 200 --duration 5m
  npm run bench -- many-machines --machines 4 -- outage --users 200 --duration 3m

  npm run bench -- many-machines --guards strict,strict,follow,follow -- revocation --users 300 --duration 5m
  npm run bench -- many-machines --guards nginx,caddy -- revocation --users 300 --duration 5m

--machines embedded is one process on SQLite. --machines 4 is one machine with 4 workers. --machines 2,2 is two machines of 2 workers each, network namespaces of their own, behind a real HAProxy
(as root only). --guards starts an API in a process of its own behind each of these guards, which asks the service through a HAProxy that deals
request by request; the lab tries tokens there, too. A guard "nginx" or "caddy" is that gateway, with a strict sidecar beside it. --no-redis leaves Redis out. The words after -- go to "catalytic-lab run"; its exit code is passed on. PostgreSQL
and Redis are declared to the scenario "outage", with commands that start and flush them.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', short: 'h', default: false },
    machines: { type: 'string', default: '4' },
    'no-redis': { type: 'boolean', default: false },
    guards: { type: 'string', default: '' },
  },
});

const issuer = 'https://id.example';
const audience = 'https://api.example';

/** Settings of every machine. */
const common: Settings = {
  AUDIENCE: audience,
  ISSUER: issuer,
  CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
  LOGIN_CACHE_SECONDS: 3600,
  EXPOSE_WORKER: 1,
  KEEP_ALIVE_SECONDS: 600,
  DATABASE_POOL_SIZE: 40,
  DATABASE_MAX_OVERFLOW: 40,
  HASH_LANES: 4,
};

const started = new AsyncDisposableStack();

const serve = (settings: Settings, prefixCommand: readonly string[] = []): Promise<Service> =>
  startServiceOn(started, { ...common, ...settings }, prefixCommand);

const startRedisAt = async (host: string): Promise<Redis | undefined> => {
  if (values['no-redis']) return undefined;
  return started.use(await startRedis(host === '127.0.0.1' ? {} : { host, settings: { 'protected-mode': 'no' } }));
};

/**
 * Words that declare PostgreSQL and Redis to the scenario "outage": files with the ids of their processes, which change, and commands that
 * make this process start them again. None for another scenario.
 */
const partsOf = async (postgres: Postgres, redis: Redis | undefined): Promise<readonly string[]> => {
  if (positionals[0] !== 'outage') return [];
  const folder = folderOn(started);
  const words: string[] = [];
  const acts = new Map<string, () => Promise<unknown>>();
  const part = (name: string, server: Pick<Redis, 'pid' | 'start'>): void => {
    const file = join(folder, name);
    const note = (): void => writeFileSync(file, String(server.pid));
    note();
    words.push('--process', `${name}=${file}`);
    acts.set(`${name}-start`, async () => {
      await server.start();
      note();
    });
  };
  part('postgres', postgres);
  if (redis !== undefined) {
    part('redis', redis);
    acts.set('redis-flush', () => redis.command('FLUSHALL'));
  }
  const control = started.use(
    await startHttpServer((request, response) => {
      const act = acts.get(request.url?.slice(1) ?? '') ?? (() => Promise.reject(new Error('There is no such act')));
      act().then(
        () => response.end(),
        (error: Error) => response.writeHead(500).end(error.message),
      );
    }),
  );
  for (const name of acts.keys()) {
    const ask = `fetch('${control.url}/${name}').then(async (answer) => { if (!answer.ok) throw new Error(await answer.text()); })`;
    words.push('--command', `${name}="${process.execPath}" -e "${ask}"`);
  }
  return words;
};

/** Where the lab finds the deployment, and the processes whose CPU time is not a stranger's. */
interface Target {
  readonly url: string;
  readonly operateUrl: string;
  readonly dataDir: string;
  readonly listeners: readonly Listener[];
  readonly pids: readonly number[];
  /** URL of the database; `undefined`: it is in the data folder. */
  readonly database: string | undefined;
  /** Words of the scenario "outage". */
  readonly parts: readonly string[];
}

/** Where the lab finds a service on loopback. */
const placeOf = (service: Service): Pick<Target, 'url' | 'operateUrl' | 'dataDir' | 'listeners'> => ({
  url: service.url,
  operateUrl: operateUrlOf(service),
  dataDir: service.dataDir,
  listeners: [{ host: '127.0.0.1', port: Number(new URL(service.url).port) }],
});

const startEmbedded = async (): Promise<Target> => ({
  ...placeOf(await serve({})),
  database: undefined,
  pids: [],
  parts: [],
});

const startOne = async (workers: number): Promise<Target> => {
  const { server, url } = started.use(await startDatabase());
  const redis = await startRedisAt('127.0.0.1');
  const service = await serve({
    DATABASE_URL: url,
    ...(redis && { REDIS_URL: redis.url }),
    WORKERS: workers,
  });
  return {
    ...placeOf(service),
    database: url,
    pids: [server.pid, ...(redis ? [redis.pid] : [])],
    parts: await partsOf(server, redis),
  };
};

const startSeveral = async (workers: readonly number[]): Promise<Target> => {
  const { gateway, machines } = started.use(await createMachines(workers.length));
  const { server, url } = started.use(await startDatabase(gateway));
  const redis = await startRedisAt(gateway);
  const services: Service[] = [];
  for (const [index, { address, prefixCommand }] of machines.entries())
    services.push(
      await serve(
        {
          HOST: address,
          PORT: 8000,
          OPERATE_HOST: address,
          OPERATE_PORT: 9000,
          TRUSTED_PROXIES: gateway,
          DATABASE_URL: url,
          ...(redis && { REDIS_URL: redis.url }),
          WORKERS: workers[index] ?? 1,
        },
        prefixCommand,
      ),
    );
  const servers = machines.map(({ address }) => ({ host: address, port: 8000 }));
  const balancer = started.use(await startHaproxy({ servers, mode: 'connection' }));
  return {
    url: balancer.url,
    operateUrl: `http://${machines[0]?.address}:9000`,
    dataDir: services[0]?.dataDir ?? '',
    listeners: servers,
    database: url,
    pids: [server.pid, ...(redis ? [redis.pid] : []), ...services.map(pidOf)],
    parts: await partsOf(server, redis),
  };
};

/** A guarded address, as words for the lab, and its processes. */
interface Guarded {
  readonly words: readonly string[];
  readonly pids: readonly number[];
}

/** Where guards ask, and with what. */
interface Asking {
  readonly url: string;
  readonly key: string;
}

/** An API that has its guard in its own process. */
const startGuardIn = async ({ url, key }: Asking, mode: string, name: string): Promise<Guarded> => {
  const options = { issuer, url, name, mode: mode as Mode, audience, key };
  const api = started.use(await startGuardedApi({ guard: options }));
  if (mode !== 'ask') await api.current();
  return { words: ['--guard', `${mode}=${api.url}`], pids: [api.process.pid ?? 0] };
};

/** An API that checks nothing, behind a gateway with a strict sidecar. */
const startGatewayGuard = async ({ url, key }: Asking, gateway: GatewayName, name: string): Promise<Guarded> => {
  const flags = ['--issuer', issuer, '--audience', audience, '--name', name];
  const sidecar = started.use(await startSidecar({ url, key, flags }));
  const api = started.use(startBareServer({}));
  const { host } = new URL(await api.ask('serve', { headers: { 'content-length': '2' }, body: '{}' }));
  const front = started.use(await startGateway(gateway, { api: host, guard: sidecar.address }));
  return { words: ['--guard', `strict=${front.url}/notes`], pids: [sidecar.process.pid ?? 0, api.pid, front.pid] };
};

/** APIs behind guards. */
const startGuarded = async ({ listeners, dataDir, database }: Target): Promise<Guarded> => {
  const kinds = values.guards.split(',').filter((kind) => kind !== '');
  if (kinds.length === 0) return { words: [], pids: [] };
  const balancer = started.use(await startHaproxy({ servers: listeners, mode: 'request' }));
  const settings = { DATA_DIR: dataDir, DATABASE_URL: database, CATALYTIC_MASTER_KEY: common['CATALYTIC_MASTER_KEY'] };
  const made = await runCatalytic(['guard-keys', 'create', '--json'], settings);
  const { key } = JSON.parse(made.stdout) as { key: string };
  const asking = { url: balancer.url, key };
  const all = await Promise.all(
    kinds.map((kind, index) => {
      const name = `${kind} ${index + 1}`;
      const gateway = gatewayNames.find((each) => each === kind);
      return gateway === undefined ? startGuardIn(asking, kind, name) : startGatewayGuard(asking, gateway, name);
    }),
  );
  return { words: all.flatMap(({ words }) => words), pids: [balancer.pid, ...all.flatMap(({ pids }) => pids)] };
};

const startTarget = (): Promise<Target> => {
  if (values.machines === 'embedded') {
    say('Starting one process');
    return startEmbedded();
  }
  const workers = values.machines.split(',').map(Number);
  const machines = workers.length === 1 ? 'one machine' : `${workers.length} machines`;
  say(`Starting ${machines}: ${workers.join(' and ')} workers`);
  return workers.length === 1 ? startOne(workers[0] ?? 1) : startSeveral(workers);
};

/** Redis is connected, the balancer has looked at every machine, and what a start costs is over. */
const settleMs = 3000;

if (values.help) process.stdout.write(help);
else
  try {
    const target = await startTarget();
    await delay(settleMs);
    const { url, operateUrl, dataDir, pids, parts } = target;
    const guarded = await startGuarded(target);
    const labKeyFile = join(dataDir, 'lab.key');
    const where = ['--target', url, '--operate-target', operateUrl, '--admin-key-file', labKeyFile];
    const counted = [...pids, ...guarded.pids].flatMap((pid) => ['--also-count', String(pid)]);
    process.exitCode = await runLab(['run', ...positionals, ...parts, ...where, ...guarded.words, ...counted]);
  } finally {
    await started.disposeAsync();
  }
