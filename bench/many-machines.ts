/**
 * Loads a whole deployment: one machine, or several behind a load balancer: `node bench/many-machines.ts --help`.
 * @module
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startHaproxy } from '../tests/harness/haproxy.ts';
import { createMachines } from '../tests/harness/machines.ts';
import { type Postgres, startPostgres } from '../tests/harness/postgres.ts';
import { type Redis, startRedis } from '../tests/harness/redis.ts';
import { removeFolder, type Service, type Settings, startService, temporaryFolder } from '../tests/harness/service.ts';
import { say } from './setting.ts';

const help = `Starts a real PostgreSQL, a real Redis and the service, and runs the load lab against it.

  node bench/many-machines.ts --machines 4 -- revocation --users 400 --duration 5m --out results/one-machine
  node bench/many-machines.ts --machines 2,2 -- auth --users 1000 --duration 3m
  node bench/many-machines.ts --machines 4 -- outage --users 200 --duration 3m

--machines 4 is one machine with 4 workers. --machines 2,2 is two machines of 2 workers each, network namespaces of their own, behind a real HAProxy
(as root only). --no-redis leaves Redis out. Everything behind -- goes to "catalytic-lab run"; its exit code is ours. To the scenario "outage" PostgreSQL
and Redis are declared with what starts and flushes them.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: 'boolean', default: false },
    machines: { type: 'string', default: '4' },
    'no-redis': { type: 'boolean', default: false },
  },
});

/** What is the same on every machine. */
const common: Settings = {
  ISSUER: 'https://id.example',
  CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
  LOGIN_CACHE_SECONDS: 3600,
  EXPOSE_WORKER: 1,
  KEEP_ALIVE_SECONDS: 600,
  DATABASE_POOL_SIZE: 40,
  DATABASE_MAX_OVERFLOW: 40,
  HASH_LANES: 4,
};

const started = new AsyncDisposableStack();

const serve = async (settings: Settings, prefixCommand: readonly string[] = []): Promise<Service> => {
  const dataDir = temporaryFolder();
  started.defer(() => removeFolder(dataDir));
  const service = await startService(dataDir, { ...common, ...settings }, prefixCommand);
  started.defer(async () => void (await service.end('SIGKILL')));
  return service;
};

/** The database, reachable at this address, for machines of its network too. */
const startDatabase = async (address: string): Promise<Postgres> => {
  const listenAddresses = address === '127.0.0.1' ? address : `127.0.0.1,${address}`;
  const postgres = started.use(
    await startPostgres({ settings: { max_connections: 300, listen_addresses: listenAddresses } }),
  );
  await postgres.sql("create role catalytic login nosuperuser nobypassrls password 'catalytic'");
  await postgres.sql('create database catalytic owner catalytic');
  appendFileSync(join(postgres.dataDir, 'pg_hba.conf'), `host all all ${address}/24 scram-sha-256\n`);
  await postgres.sql('select pg_reload_conf()');
  return postgres;
};

/**
 * Words that declare PostgreSQL and Redis to the scenario "outage": files with the ids of their processes, which change, and commands that ask this
 * process to start them again. None for another scenario.
 */
const partsOf = async (postgres: Postgres, redis: Redis | undefined): Promise<readonly string[]> => {
  if (positionals[0] !== 'outage') return [];
  const folder = temporaryFolder();
  started.defer(() => removeFolder(folder));
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
  const control = createServer((request, response) => {
    const act = acts.get(request.url?.slice(1) ?? '') ?? (() => Promise.reject(new Error('There is no such act')));
    act().then(
      () => response.end(),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  });
  await new Promise<void>((resolve) => control.listen(0, '127.0.0.1', resolve));
  started.defer(() => void control.close());
  const { port } = control.address() as AddressInfo;
  for (const name of acts.keys()) {
    const ask = `fetch('http://127.0.0.1:${port}/${name}').then(async (answer) => { if (!answer.ok) throw new Error(await answer.text()); })`;
    words.push('--command', `${name}="${process.execPath}" -e "${ask}"`);
  }
  return words;
};

/** Where the lab finds what was started, and whose CPU time is not a stranger's. */
interface Target {
  readonly url: string;
  readonly operateUrl: string;
  readonly labKeyFile: string;
  readonly pids: readonly number[];
  /** Words of the scenario "outage". */
  readonly parts: readonly string[];
}

const pidOf = ({ process }: Service): number => process.pid ?? 0;

const startOne = async (workers: number): Promise<Target> => {
  const postgres = await startDatabase('127.0.0.1');
  const redis = values['no-redis'] ? undefined : started.use(await startRedis());
  const service = await serve({
    DATABASE_URL: `postgres://catalytic:catalytic@127.0.0.1:${postgres.port}/catalytic`,
    ...(redis && { REDIS_URL: redis.url }),
    WORKERS: workers,
  });
  const labKeyFile = join(service.dataDir, 'lab.key');
  return {
    url: service.url,
    operateUrl: service.url,
    labKeyFile,
    pids: [postgres.pid, ...(redis ? [redis.pid] : [])],
    parts: await partsOf(postgres, redis),
  };
};

const startSeveral = async (workers: readonly number[]): Promise<Target> => {
  const { gateway, machines } = started.use(await createMachines(workers.length));
  const postgres = await startDatabase(gateway);
  const redis = values['no-redis']
    ? undefined
    : started.use(await startRedis({ host: gateway, settings: { 'protected-mode': 'no' } }));
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
          DATABASE_URL: `postgres://catalytic:catalytic@${gateway}:${postgres.port}/catalytic`,
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
    labKeyFile: join(services[0]?.dataDir ?? '', 'lab.key'),
    pids: [postgres.pid, ...(redis ? [redis.pid] : []), ...services.map(pidOf)],
    parts: await partsOf(postgres, redis),
  };
};

const runLab = ({ url, operateUrl, labKeyFile, pids, parts }: Target): Promise<number> => {
  const lab = fileURLToPath(new URL('../packages/lab/src/main.ts', import.meta.url));
  const where = ['--target', url, '--operate-target', operateUrl, '--admin-key-file', labKeyFile];
  const child = spawn(
    process.execPath,
    [lab, 'run', ...positionals, ...parts, ...where, ...pids.flatMap((pid) => ['--also-count', String(pid)])],
    { stdio: 'inherit' },
  );
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => child.kill(name));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
};

if (values.help) process.stdout.write(help);
else
  try {
    const workers = values.machines.split(',').map(Number);
    say(
      `Starting ${workers.length === 1 ? 'one machine' : `${workers.length} machines`}: ${workers.join(' and ')} workers`,
    );
    const target = workers.length === 1 ? await startOne(workers[0] ?? 1) : await startSeveral(workers);
    // Redis is connected, the balancer has looked at every machine, and what a start costs is over.
    await delay(3000);
    process.exitCode = await runLab(target);
  } finally {
    await started.disposeAsync();
  }
