/**
 * A deployment to hurt: PostgreSQL, a proxy in front of it, a supervisor and its workers.
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { listProcesses } from '../../packages/lab/src/faults/process-tree.ts';
import { passwordHash, readLabKey } from '../harness/accounts.ts';
import { goodPassword } from '../harness/client.ts';
import { type Postgres, startPostgres } from '../harness/postgres.ts';
import { removeFolder, type Service, startService, temporaryFolder } from '../harness/service.ts';
import { DatabaseProxy } from './database-proxy.ts';
import { type PinnedWorker, pinWorkers } from './pinned-worker.ts';

/** How it is set up. */
export interface DeploymentOptions {
  readonly workers: number;
  readonly leaseMs: number;
  readonly answerMs: number;
}

/** Longest time until everything works again after the last fault has been taken away. */
const healMsMax = 30_000;
/** Accounts that the rounds sign in with. */
const accounts = 40;

/** A running deployment. */
export class Deployment implements AsyncDisposable {
  readonly options: DeploymentOptions;
  readonly postgres: Postgres;
  readonly proxy: DatabaseProxy;
  readonly service: Service;
  /** Deaths of workers that a fault has asked for. */
  expectedDeaths = 0;

  private constructor(options: DeploymentOptions, postgres: Postgres, proxy: DatabaseProxy, service: Service) {
    this.options = options;
    this.postgres = postgres;
    this.proxy = proxy;
    this.service = service;
  }

  static async start(options: DeploymentOptions): Promise<Deployment> {
    const postgres = await startPostgres({ settings: { max_prepared_transactions: 10, max_connections: 120 } });
    await postgres.sql("create role catalytic login nosuperuser nobypassrls password 'catalytic'");
    await postgres.sql('create database catalytic owner catalytic');
    const started: { service?: Service } = {};
    const pids = (): number[] => {
      const supervisor = started.service?.process.pid;
      return listProcesses()
        .filter(({ pid, parent }) => pid === supervisor || parent === supervisor || supervisor === undefined)
        .map(({ pid }) => pid);
    };
    const proxy = new DatabaseProxy(postgres.port, pids);
    await proxy.listen();
    const dataDir = temporaryFolder();
    const service = await startService(dataDir, {
      DATABASE_URL: `postgres://catalytic:catalytic@127.0.0.1:${proxy.port}/catalytic`,
      DATABASE_POOL_SIZE: 12,
      DATABASE_MAX_OVERFLOW: 12,
      WORKERS: options.workers,
      REVOCATION_LEASE_MS: options.leaseMs,
      REVOCATION_ANSWER_MS: options.answerMs,
      EXPOSE_WORKER: 1,
      LOGIN_CACHE_SECONDS: 3600,
      KEEP_ALIVE_SECONDS: 600,
      LOG_LEVEL: 'info',
    });
    started.service = service;
    const deployment = new Deployment(options, postgres, proxy, service);
    await deployment.#importAccounts();
    return deployment;
  }

  /** A connection to the database past the proxy, as its owner. */
  async connect(): Promise<Client> {
    const client = new Client({
      connectionString: `postgres://catalytic:catalytic@127.0.0.1:${this.postgres.port}/catalytic`,
      options: '-c catalytic.tenant=*',
    });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** One query past the proxy. */
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

  /** Waits until every worker serves and is current. */
  async healthy(): Promise<readonly PinnedWorker[]> {
    let problem: unknown;
    for (const until = performance.now() + healMsMax; performance.now() < until; await delay(50))
      try {
        const workers = await pinWorkers(this.service.url, this.options.workers);
        const ready = await Promise.all(workers.map((worker) => worker.send('GET', '/health/ready')));
        if (ready.every(({ status }) => status === 200)) return workers;
        problem = ready.map(({ status, body }) => `${status} ${body['code'] ?? ''}`).join(', ');
        await Promise.all(workers.map((worker) => worker.close()));
      } catch (error) {
        problem = error;
      }
    throw new Error(`The deployment does not recover: ${String(problem)}\n${this.service.output().slice(-2000)}`);
  }

  /** Workers that died without being asked to. */
  crashes(): number {
    return this.service.output().split('A worker has died').length - 1 - this.expectedDeaths;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service.end('SIGKILL');
    await this.proxy.close();
    await this.postgres.close();
    removeFolder(this.service.dataDir);
  }

  async #importAccounts(): Promise<void> {
    const hash = passwordHash(goodPassword);
    const lines = Array.from({ length: accounts }, (_, index) =>
      JSON.stringify({ email: this.email(index), password_hash: hash }),
    ).join('\n');
    const answer = await fetch(`${this.service.url}/admin/accounts/import?tenant=lab`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-ndjson',
        authorization: `Bearer ${readLabKey(this.service.dataDir)}`,
      },
      body: lines,
    });
    if (answer.status !== 200) throw new Error(`Cannot import: ${answer.status} ${await answer.text()}`);
  }
}
