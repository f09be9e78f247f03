/**
 * A deployment to inject faults into: PostgreSQL, Redis where a fault needs it, and machines that reach them through proxies.
 * @module
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import { Client } from 'pg';
import { passwordHash, readLabKey } from '../harness/accounts.ts';
import { goodPassword } from '../harness/client.ts';
import { newGuardKey } from '../harness/guard-key.ts';
import { createMachines, needsMachines } from '../harness/machines.ts';
import { operateUrlOf } from '../harness/operate-url.ts';
import { createServiceDatabase, serviceDatabaseUrl } from '../harness/postgres/service-database.ts';
import { startStandby } from '../harness/postgres/standby.ts';
import { type Postgres, startPostgres } from '../harness/postgres.ts';
import { type Redis, startRedis } from '../harness/redis.ts';
import type { Service } from '../harness/service.ts';
import { Machine } from './machine.ts';
import { PinnedGuard } from './pinned-guard.ts';
import type { PinnedWorker } from './pinned-worker.ts';

/** Options of a deployment. */
export interface DeploymentOptions {
  /** Number of workers of each machine. */
  readonly machines: readonly number[];
  /** Whether it has a Redis. */
  readonly redis?: boolean;
  /** Whether each machine has a separate network, where this system can make one ({@link hasNetworks}). */
  readonly inNamespaces?: boolean;
  /** Whether to connect without proxies, for measurements; then no connection can be cut. */
  readonly isDirect?: boolean;
  /** Whether each machine has a separate wall clock. */
  readonly ownClocks?: boolean;
  /** Clocks of a machine that stand still while its processes are paused. @default none */
  readonly hidesPauses?: 'monotonic' | 'both';
  /** Whether the database has a separate wall clock. */
  readonly databaseClock?: boolean;
  /** Whether a standby follows the database. */
  readonly withStandby?: boolean;
  /** Whether machines read the times of the revocation from a file, which a fault can rewrite. */
  readonly inFile?: boolean;
  /** Modes of the guards that APIs have, which ask the first machine. @default none */
  readonly guards?: readonly ('strict' | 'follow')[];
  readonly leaseMs: number;
  readonly answerMs: number;
}

/** Whether this system can give machines separate networks. */
export const hasNetworks = (): boolean => needsMachines().skip === false;

/** Longest time until everything works again after the last fault was undone. */
const healMsMax = 30_000;
/** Issuer and audience of the tokens. */
const issuer = 'https://id.example';
/** Number of accounts with which the rounds sign in. */
const accounts = 40;

/** The stores of a deployment. */
interface Stores {
  readonly postgres: Postgres;
  readonly standby: Postgres | undefined;
  readonly redis: Redis | undefined;
  readonly spareRedis: Redis | undefined;
}

/** A running deployment. */
export class Deployment implements AsyncDisposable {
  readonly options: DeploymentOptions;
  readonly machines: readonly Machine[];
  readonly postgres: Postgres;
  readonly #stores: Stores;
  /** Everything that was started; ended in the opposite order. */
  #started: AsyncDisposableStack | undefined;
  /** Number of faults that hold Redis stopped. */
  #holders = 0;
  /** The key with which workers are asked by introspection as well. */
  #guardKey: string | undefined;
  /** APIs behind guards. */
  readonly guards: PinnedGuard[] = [];
  /** Deaths of workers that faults have caused. */
  expectedDeaths = 0;

  private constructor(options: DeploymentOptions, stores: Stores, machines: readonly Machine[]) {
    this.options = options;
    this.postgres = stores.postgres;
    this.#stores = stores;
    this.machines = machines;
  }

  static async start(options: DeploymentOptions): Promise<Deployment> {
    await using started = new AsyncDisposableStack();
    const postgres = started.use(
      await startPostgres({ settings: serverSettings, hasClock: options.databaseClock === true }),
    );
    await createServiceDatabase(postgres.sql);
    const standby =
      options.withStandby === true ? started.use(await startStandby(postgres, serverSettings)) : undefined;
    const startOne = async (): Promise<Redis> => started.adopt(await startRedis(), (redis) => redis.close());
    const redis = options.redis === true ? await startOne() : undefined;
    const spareRedis = options.redis === true && options.isDirect !== true ? await startOne() : undefined;
    const times = { REVOCATION_LEASE_MS: options.leaseMs, REVOCATION_ANSWER_MS: options.answerMs };
    const settings = {
      ISSUER: issuer,
      CATALYTIC_MASTER_KEY: randomBytes(32).toString('base64'),
      DATABASE_POOL_SIZE: 12,
      DATABASE_MAX_OVERFLOW: 12,
      // A busy machine may be slow to connect; a fault that keeps the database away is not waited out.
      DATABASE_WAIT_SECONDS: 5,
      ...(options.inFile === true ? {} : times),
      EXPOSE_WORKER: 1,
      LOGIN_CACHE_SECONDS: 3600,
      KEEP_ALIVE_SECONDS: 600,
      LOG_LEVEL: 'info',
    };
    const networks =
      options.inNamespaces === true && hasNetworks()
        ? started.use(await createMachines(options.machines.length))
        : undefined;
    const machines: Machine[] = [];
    for (const [index, workers] of options.machines.entries()) {
      const network = networks?.machines[index];
      const machine = await Machine.start({
        place: network === undefined || networks === undefined ? undefined : { network, gateway: networks.gateway },
        number: index + 1,
        workers,
        databasePort: postgres.port,
        redisPort: redis?.port,
        isApart: options.machines.length > 1,
        isDirect: options.isDirect === true,
        hasClock: options.ownClocks === true,
        hidesPauses: options.hidesPauses,
        fileSettings: options.inFile === true ? times : undefined,
        settings,
      });
      machines.push(started.use(machine));
    }
    const deployment = new Deployment(options, { postgres, standby, redis, spareRedis }, machines);
    await deployment.#importAccounts();
    deployment.#guardKey = await deployment.addGuardKey();
    for (const guard of await deployment.#startGuards()) started.use(guard);
    deployment.#started = started.move();
    return deployment;
  }

  /** The standby that follows the database. @throws Error when there is none */
  get standby(): Postgres {
    return required(this.#stores.standby, 'standby');
  }

  /** The Redis of all machines. @throws Error when there is none */
  get redis(): Redis {
    return required(this.#stores.redis, 'Redis');
  }

  /** A second Redis, unused until a fault leads machines to it. @throws Error when there is none */
  get spareRedis(): Redis {
    return required(this.#stores.spareRedis, 'Redis');
  }

  /** The supervisor of the first machine, and its workers. */
  get service(): Service {
    return this.#first.service;
  }

  /** Port of 127.0.0.1 at which guards ask the first machine. */
  get servicePort(): number {
    return Number(new URL(this.#first.url).port);
  }

  /** Enters a guard key past the service. */
  async addGuardKey(): Promise<string> {
    const { key, hash } = newGuardKey();
    await this.query(
      `insert into guard_key (hash, description, guards_max, created_at) values ($1, 'for a test', 100, 0)`,
      hash,
    );
    return key;
  }

  /** The machine of a worker. */
  machineOf({ machine }: PinnedWorker): Machine {
    const found = this.machines[machine - 1];
    if (found === undefined) throw new Error(`There is no machine ${machine}`);
    return found;
  }

  /** Stops Redis, where there is one. Redis goes on once every caller has called the function that it got. */
  holdRedis(): () => void {
    const { redis } = this.#stores;
    this.#holders += 1;
    redis?.pause();
    return () => {
      this.#holders -= 1;
      if (this.#holders === 0) redis?.resume();
    };
  }

  /** A connection to the database, as its owner, without the proxy. */
  async connect(): Promise<Client> {
    const client = new Client({
      connectionString: serviceDatabaseUrl(this.postgres.port),
      options: '-c catalytic.tenant=*',
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** One query without the proxy. */
  async query<Row extends object>(text: string, ...values: readonly unknown[]): Promise<readonly Row[]> {
    const client = await this.connect();
    try {
      return (await client.query<Row>({ text, values: [...values] })).rows;
    } finally {
      await client.end();
    }
  }

  email(index: number): string {
    return `fault${index % accounts}@example.com`;
  }

  /** Waits until every worker serves, is current, and has every connection that makes it fast. */
  async healthy(): Promise<readonly PinnedWorker[]> {
    let problem: unknown;
    for (const until = performance.now() + healMsMax; performance.now() < until; await delay(50)) {
      if (this.guards.length > 0) await this.#forgive();
      const found = await Promise.allSettled(this.machines.map((machine) => machine.pinWorkers()));
      const workers = found.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
      problem =
        found.find(({ status }) => status === 'rejected') ??
        (await Promise.all(workers.map(notReady)).catch((error: unknown) => [error])).find(
          (answer) => answer !== undefined,
        );
      if (problem === undefined) {
        await Promise.all(this.guards.map((guard) => guard.current()));
        for (const worker of workers) worker.guardKey = this.#guardKey;
        return workers;
      }
      await Promise.all(workers.map((worker) => worker.close()));
    }
    const printed = this.machines.map((machine) => machine.output().slice(-2000)).join('\n');
    throw new Error(`The deployment does not recover: ${inspect(problem)}\n${printed}`);
  }

  /** Deaths of workers that no fault has caused. */
  crashes(): number {
    const deaths = this.machines.map((machine) => machine.output().split('A worker has died').length - 1);
    return deaths.reduce((sum, count) => sum + count, 0) - this.expectedDeaths;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#started?.disposeAsync();
  }

  get #first(): Machine {
    const [first] = this.machines;
    if (first === undefined) throw new Error('A deployment has at least one machine');
    return first;
  }

  /** What the supervisors and workers of all machines have printed. */
  output(): string {
    return this.machines.map((machine) => machine.output()).join('\n');
  }

  /** A key whose guards are marked again and again registers none for a while; here faults mark them. */
  async #forgive(): Promise<void> {
    await this.query('update guard_key set marks = 0, marked_at = null').catch(() => {});
  }

  async #startGuards(): Promise<readonly PinnedGuard[]> {
    const { guards: modes = [], leaseMs } = this.options;
    if (modes.length === 0) return [];
    const key = await this.addGuardKey();
    for (const [index, mode] of modes.entries()) {
      const { servicePort } = this;
      const guard = { mode, number: index + 1, servicePort, issuer, audience: issuer, key, leaseMs };
      this.guards.push(await PinnedGuard.start(guard));
    }
    return this.guards;
  }

  async #importAccounts(): Promise<void> {
    const hash = passwordHash(goodPassword);
    const lines = Array.from({ length: accounts }, (_, index) =>
      JSON.stringify({ email: this.email(index), password_hash: hash }),
    ).join('\n');
    const answer = await untilServed(() =>
      fetch(`${operateUrlOf(this.#first.service)}/admin/accounts/import?tenant=lab`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-ndjson',
          authorization: `Bearer ${readLabKey(this.#first.dataDir)}`,
        },
        body: lines,
      }),
    );
    if (answer.status !== 200) throw new Error(`Cannot import: ${answer.status} ${await answer.text()}`);
  }
}

/** Longest time that a preparation is tried again: no fault is present then, but the machine may be slow. */
const servedMsMax = 30_000;

/** Asks again while the answer is 503, which tells a client to do so. */
export const untilServed = async <Answer extends { readonly status: number }>(
  ask: () => Promise<Answer>,
): Promise<Answer> => {
  const untilMs = performance.now() + servedMsMax;
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503 || performance.now() > untilMs) return answer;
    await delay(100);
  }
};

const required = <Store>(store: Store | undefined, name: string): Store => {
  if (store === undefined) throw new Error(`This deployment has no ${name}`);
  return store;
};

/** Settings of PostgreSQL; a standby must have the same. */
const serverSettings = { max_prepared_transactions: 10, max_connections: 200 };

/** Why a worker does not yet work as before the fault; `undefined` when it does. */
const notReady = async (worker: PinnedWorker): Promise<string | undefined> => {
  const { status, body } = await worker.send('GET', '/health/ready');
  const degraded = body['degraded'];
  const isWhole = !Array.isArray(degraded) || degraded.length === 0;
  return status === 200 && isWhole ? undefined : `worker ${worker.label}: ${status} ${JSON.stringify(body)}`;
};
